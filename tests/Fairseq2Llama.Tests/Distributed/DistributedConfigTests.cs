using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>The architecture of a distributed checkpoint comes from a file that others have written.</summary>
public sealed class DistributedConfigTests : IDisposable
{
    private const string Params = """{"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 8, "norm_eps": 1e-05, "vocab_size": 40}""";

    /// <summary>As json.dump of Trainer.Config.to_dict() writes it (torchtitan/trainer.py and models/llama3/__init__.py of August 2026), less what is not read.</summary>
    private const string TorchTitan = """
        {
          "model_spec": {
            "name": "llama3",
            "flavor": "debugmodel",
            "model": {
              "dim": 16,
              "vocab_size": 40,
              "enable_weight_tying": false,
              "norm": {"normalized_shape": 16, "eps": 1e-06, "elementwise_affine": true},
              "layers": [LAYER, LAYER]
            }
          },
          "training": {"max_context_length": 2048}
        }
        """;

    private const string Layer = """
        {"attention": {"n_heads": 4, "dim": 16, "n_kv_heads": 2, "head_dim": null,
          "rope": {"dim": 4, "max_context_length": 131072, "theta": 500000, "scaling": "llama", "scaling_factor": 8.0}}}
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("run/checkpoint/step-10/params.json")]
    [InlineData("run/checkpoint/params.json")]
    [InlineData("run/params.json")]
    [InlineData("params.json", false)]
    public void Is_looked_for_around_the_checkpoint(string file, bool isFound = true)
    {
        Copy("titan-1", "run/checkpoint/step-10");
        Write(file, Params);

        var checkpoint = Read("run/checkpoint/step-10");
        Assert.Equal(isFound ? 4 : null, checkpoint.Architecture?.NumAttnHeads);
        Assert.Equal("run@10", checkpoint.Name);
    }

    [Theory]
    [InlineData("anything.json")]
    [InlineData("")]
    public void Can_be_given(string file)
    {
        Copy("accelerate-2", "x");
        Write("configs/config.json", """
            {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 40}
            """);
        File.Copy(_folder["configs/config.json"], _folder["configs/anything.json"]);

        var checkpoint = Read("x", config: $"configs/{file}");
        Assert.Equal((16, 4, 2), (checkpoint.Architecture!.ModelDim, checkpoint.Architecture.NumAttnHeads, checkpoint.Architecture.NumKeyValueHeads));
        Assert.Equal(4, checkpoint.Tensors.First(tensor => tensor.ParsedName.IsRotary).HalfSplitHeadDim);
    }

    [Fact]
    public void Torchtitan_s_describes_the_model()
    {
        Copy("titan-1", "run/checkpoint/step-10");
        Write("run/job_config.json", TorchTitan.Replace("LAYER", Layer, StringComparison.Ordinal));

        var architecture = Read("run/checkpoint/step-10").Architecture!;

        Assert.Equal(
            (16, 2, 4, 2, 48L, 40, 131072, 500_000.0, 8.0, 1e-6, false),
            (architecture.ModelDim, architecture.NumLayers, architecture.NumAttnHeads, architecture.NumKeyValueHeads, architecture.FfnInnerDim, architecture.VocabSize,
                architecture.MaxSeqLen, architecture.RopeTheta, architecture.RopeScaleFactor, architecture.NormEps, architecture.TiedEmbeddings));
    }

    [Theory]
    [InlineData("\"scaling\": \"llama\"", "\"scaling\": \"none\"", null)]
    [InlineData("\"max_context_length\": 131072", "\"max_seq_len\": 4096", null)]
    [InlineData("\"scaling\": \"llama\"", "\"scaling\": \"yarn\"", "scaled as 'yarn'")]
    [InlineData("\"name\": \"llama3\"", "\"name\": \"qwen3\"", "'qwen3'")]
    [InlineData("\"n_heads\": 4", "\"n_heads\": \"4\"", "n_heads")]
    [InlineData("\"layers\": [LAYER, LAYER]", "\"layers\": []", "Expected 'llama3'")]
    [InlineData("\"layers\": [LAYER, LAYER]", "\"layers\": [1]", "layers")]
    public void Torchtitan_s_is_read_with_care(string replaced, string replacement, string? error)
    {
        Copy("titan-1", "step-10");
        Write("step-10/config.json", TorchTitan.Replace(replaced, replacement, StringComparison.Ordinal).Replace("LAYER", Layer, StringComparison.Ordinal)
            .Replace(replaced, replacement, StringComparison.Ordinal));

        var checkpoint = Read("step-10");

        if (error is null)
        {
            Assert.NotNull(checkpoint.Architecture);
        }
        else
        {
            Assert.Contains(error, checkpoint.ArchitectureFile!.Error!.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>As JobConfig of 2025 names it (torchtitan/config/job_config.py).</summary>
    [Fact]
    public void Torchtitan_s_of_2025_only_names_the_model()
    {
        Copy("titan-1", "run/checkpoint/step-10");
        Write("run/job_config.json", """{"job": {"dump_folder": "./outputs"}, "model": {"name": "llama3", "flavor": "8B", "hf_assets_path": "x"}, "training": {"seq_len": 8192}}""");

        Assert.Null(Read("run/checkpoint/step-10").ArchitectureFile);
        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointUnrecognized, () => Read("run/checkpoint/step-10", config: "run/job_config.json"), "does not describe a LLaMA", "-Architecture");
    }

    [Fact]
    public void What_is_no_JSON_is_not_called_damaged()
    {
        Copy("titan-1", "x");
        Write("model.yaml", "model_family: llama\nmodel_config:\n  model_dim: 16\n");
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => Read("x", config: "model.yaml"), "does not describe a LLaMA");
    }

    /// <summary>Somebody else's file near a checkpoint does not keep it from being read; one that is given is meant.</summary>
    [Fact]
    public void What_describes_no_LLaMA_matters_only_where_it_is_needed()
    {
        Copy("titan-1", "run/step-10");
        Write("run/config.json", """{"model_type": "gpt2"}""");

        var checkpoint = Read("run/step-10");
        Assert.Equal(21, checkpoint.Tensors.Length);
        ErrorAssert.Throws(
            CheckpointErrorCode.CheckpointUnrecognized, () => CheckpointExport.Plan(checkpoint, _folder["out"], new ReferenceExportOptions()), "'gpt2'");
        Assert.NotNull(CheckpointExport.Plan(checkpoint, _folder["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }));
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => Read("run/step-10", config: "run/config.json"), "'gpt2'");
    }

    [Fact]
    public void What_is_given_has_to_be_there()
    {
        Copy("titan-1", "x");
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointNotFound, () => Read("x", config: "nowhere"), "no file or folder", "nowhere");
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointNotFound, () => Read("x", config: "x"), "params.json", "job_config.json");
    }

    [Theory]
    [InlineData("run/checkpoint/step-1000", "run@1000")]
    [InlineData("run/step-7", "run@7")]
    [InlineData("out/checkpoint-500/pytorch_model_fsdp_0", "out@500")]
    [InlineData("out/epoch=0-step=10.ckpt", "out@10")]
    [InlineData("mine", "mine")]
    public void Its_name_is_that_of_the_run(string path, string name)
    {
        Copy("titan-1", path);
        Assert.Equal(name, Read(path).Name);
    }

    private void Copy(string name, string path) => CheckpointFolder.CopyFiles(DistributedManifest.Cases[name].Path, _folder[path]);

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllText(_folder[file], text);
    }

    private DistributedCheckpoint Read(string path, string? config = null) =>
        DistributedCheckpoint.Read(_folder[path], new CheckpointReadOptions { ConfigPath = config is null ? null : new CheckpointAddress(_folder[config]) }, TestContext.Current.CancellationToken);
}
