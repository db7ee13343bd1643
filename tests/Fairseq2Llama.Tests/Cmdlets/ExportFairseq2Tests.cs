using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>Export-Fairseq2Checkpoint.</summary>
public class ExportFairseq2Tests : ExportTests
{
    [Fact]
    public void Gives_the_tensors_and_the_architecture_back()
    {
        Session.Run("$fs2 | Export-LlamaHuggingFaceCheckpoint hf -Architecture $tiny");

        var written = Session.RunOne<Fairseq2Checkpoint>("Read-LlamaHuggingFaceCheckpoint hf | Export-Fairseq2Checkpoint out");

        Assert.Equal(TinyModel.Architecture with { Name = "out", FfnInnerDimMultipleOf = 48 }, written.Architecture);
        Assert.Equal(["model.pt", "model.yaml"], Directory.EnumerateFiles(Folder["out"]).Select(path => Path.GetFileName(path)).Order());
        Assert.Equal(Session.Run<string>("$fs2.Tensors.Name").Order(), written.Tensors.Select(tensor => tensor.Name).Order());
        Assert.All(
            Session.Run<TensorComparison>("Compare-LlamaCheckpoint $fs2 (Read-Fairseq2Checkpoint out)"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    /// <summary>checkpoint/_manager.py of 0.4.6.</summary>
    [External]
    [Fact]
    public void PyTorch_finds_what_fairseq2_would_have_saved()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint ref -Architecture $tiny");
        Session.Run("Read-LlamaReferenceCheckpoint ref | Export-Fairseq2Checkpoint out -WarningAction SilentlyContinue");

        var output = PyTorch.Ask(
            """
            import sys, torch
            written, original = (torch.load(path) for path in sys.argv[1:])
            print(list(written), written["model_key"], written["fs2"])
            assert list(written["model"]) == list(original["model"])
            assert all(torch.equal(tensor, original["model"][name]) for name, tensor in written["model"].items())
            """,
            Folder["out/model.pt"],
            Repository.Data("checkpoints/fs2/model.pt"));

        Assert.Equal("['model', 'model_key', 'fs2'] model True", output);
    }

    [External]
    [Fact]
    public void Tied_weights_become_one_storage_under_both_names()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tied | Export-LlamaHuggingFaceCheckpoint hf -Architecture $tied");
        Session.Run("Read-LlamaHuggingFaceCheckpoint hf | Export-Fairseq2Checkpoint out");

        Assert.Equal("True", PyTorch.Ask(
            """
            import sys, torch
            model = torch.load(sys.argv[1])["model"]
            print(model["final_proj.weight"].data_ptr() == model["decoder_frontend.embed.weight"].data_ptr())
            """,
            Folder["out/model.pt"]));
    }

    [Fact]
    public void Model_yaml_has_the_fields_of_fairseq2_in_their_order()
    {
        Session.Run("$llama3 = New-LlamaArchitecture -BasedOn $tiny -Name llama3 -RopeScaleFactor 32 -RopeTheta 500000 -MaxSeqLen 131072 -FfnInnerDimMultiplier 1.02");
        Session.Run("$fs2 | Export-Fairseq2Checkpoint out -Architecture $llama3");

        Assert.Equal(
            """
            name: checkpoint
            model_family: llama
            model_config:
              _set_:
                model_dim: 16
                max_seq_len: 131072
                vocab_info:
                  size: 40
                  unk_idx: 0
                  bos_idx: 1
                  eos_idx: 2
                  pad_idx: null
                  boh_idx: null
                  eoh_idx: null
                num_layers: 2
                num_attn_heads: 4
                num_key_value_heads: 2
                ffn_inner_dim: 64
                ffn_inner_dim_scale: 0.6666666666666666
                ffn_inner_dim_multiplier: 1.02
                ffn_inner_dim_to_multiple: 8
                rope_theta: 500000.0
                use_scaled_rope: true
                rope_scaling:
                  factor: 32.0
                  frequency_factors:
                  - 1.0
                  - 4.0
                  original_context_length: 8192
                dropout_p: 0.1

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(Folder["out/model.yaml"]));
        Assert.Equal(
            Session.RunOne<LlamaArchitecture>("$llama3") with { Name = "out", ShardEmbedDim = false },
            Session.RunOne<Fairseq2Checkpoint>("Read-Fairseq2Checkpoint out").Architecture);
    }

    [Fact]
    public void Every_architecture_of_the_catalogue_comes_back()
    {
        foreach (var architecture in LlamaArchitectures.All)
        {
            File.WriteAllBytes(Folder["model.yaml"], new Fairseq2ExportOptions().MakeFormat(CancellationToken.None).WriteConfig(architecture));
            var config = Fairseq2Llama.Fairseq2.ModelConfig.Read(Fairseq2Llama.Stores.Local.LocalFolder.FileAt(Folder["model.yaml"]), "name");

            Assert.Null(config.Error);
            Assert.Empty(config.Warnings);
            Assert.Equal(architecture with { TiedEmbeddings = false }, config.Architecture);
        }
    }

    /// <summary>As Meta's LLaMA 1 has it.</summary>
    [Fact]
    public void Warns_of_an_epsilon_that_fairseq2_does_not_know()
    {
        Session.Run("$other = New-LlamaArchitecture -BasedOn $tiny -Name other -NormEps 1e-6");

        var warnings = Session.RunOn("$fs2 | Export-Fairseq2Checkpoint out -Architecture $other").Warnings;

        Assert.Contains("1e-06", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Replaces_only_when_forced()
    {
        Session.Run("$fs2 | Export-Fairseq2Checkpoint out -Architecture $tiny");

        Session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-Fairseq2Checkpoint out -Architecture $tiny", "model.pt", "model.yaml", "-Force");
        Session.Run("$fs2 | Export-Fairseq2Checkpoint out -Architecture $tiny -Force");
    }

    /// <summary>Of a training run model.yaml lies beside the steps, but there is none here.</summary>
    [Fact]
    public void A_step_that_is_exported_by_itself_keeps_its_architecture()
    {
        var written = Session.RunOne<Fairseq2Checkpoint>("$fs2 | Export-Fairseq2Checkpoint run/step_5 -Architecture $tiny");

        Assert.Equal(TinyModel.Architecture with { Name = written.Architecture!.Name }, written.Architecture);
    }

    /// <summary>Neither could be read afterwards, and often it is the input that lies there.</summary>
    [Fact]
    public void Refuses_a_folder_with_a_model_in_several_files()
    {
        CheckpointFolder.Copy("tp2-llama3", Folder["out"]);
        var before = CheckpointFolder.Snapshot(Folder["out"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists, "Read-Fairseq2Checkpoint out | Export-Fairseq2Checkpoint out -Architecture $tiny -Force", Folder["out"], "several files");

        Assert.Equal(before, CheckpointFolder.Snapshot(Folder["out"]));
    }

    [Fact]
    public void Refuses_to_hide_the_steps_of_a_training_run()
    {
        CheckpointFolder.Copy("fs2", Folder["run/checkpoints/step_10"]);

        Session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-Fairseq2Checkpoint run/checkpoints -Architecture $tiny -Force", "training run");
    }
}
