using System.Management.Automation;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class TestLlamaCheckpointTests : IDisposable
{
    private readonly Session _session = new();

    public TestLlamaCheckpointTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session["tied"] = TinyModel.Tied;
    }

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("Test-LlamaCheckpoint -Checkpoint (Read-Fairseq2Checkpoint $cases/fs2) -Architecture $tiny")]
    [InlineData("Test-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/fs2) -Model $tiny")]
    [InlineData("Read-Fairseq2Checkpoint $cases/fs2 | Test-LlamaCheckpoint -Architecture $tiny")]
    public void Passes_a_checkpoint_that_is_what_the_architecture_says(string script)
    {
        var result = _session.RunOne<CheckpointTestResult>(script);

        Assert.True(result.Passed);
        Assert.Empty(result.Findings);
        Assert.Equal("fs2", result.Name);
        Assert.Equal(Repository.Case("fs2"), result.Path);
        Assert.Equal("tiny", result.Architecture?.Name);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("-Deep", true)]
    public void Says_whether_the_data_was_read(string parameters, bool deep) =>
        Assert.Equal(deep, _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint $cases/fs2 -Architecture $tiny {parameters}").Deep);

    [Fact]
    public void Passes_every_checkpoint_that_can_be_exported()
    {
        var tied = new[] { "tied", "tied-absent", "tied-view" };
        _session["names"] = Manifest.Instance.Reference.Keys.Except(["lora", "bias"]).Except(tied).ToArray();
        _session["tiedNames"] = tied;

        var results = _session.Run<CheckpointTestResult>(
            "$names | ForEach-Object { \"$cases/$_\" } | Read-Fairseq2Checkpoint | Test-LlamaCheckpoint -Architecture $tiny;"
            + " $tiedNames | ForEach-Object { \"$cases/$_\" } | Read-Fairseq2Checkpoint | Test-LlamaCheckpoint -Architecture $tied");

        Assert.Equal(Manifest.Instance.Reference.Count - 2, results.Length);
        Assert.All(results, result => Assert.True(result.Passed, $"{result.Name}: {string.Join("; ", result.Findings)}"));
    }

    [Fact]
    public void Lists_each_contradiction_to_a_wrong_architecture_once()
    {
        var result = _session.RunOne<CheckpointTestResult>(
            "Read-Fairseq2Checkpoint $cases/fs2 | Test-LlamaCheckpoint -Architecture"
            + " (New-LlamaArchitecture wrong -BasedOn $tiny -ModelDim 32 -NumKeyValueHeads 4 -VocabSize 41 -FfnInnerDimMultipleOf 64)");

        Assert.False(result.Passed);
        Assert.All(result.Findings, finding => Assert.Equal((FindingSeverity.Error, CheckpointErrorCode.ArchitectureMismatch), (finding.Severity, finding.Code)));
        Assert.Equal(
            ["FfnInnerDim", "KeyValueDim", "ModelDim", "VocabSize"],
            result.Findings.Select(finding => finding.Message.Split(' ')[0]).Order(StringComparer.Ordinal));
        Assert.Contains(result.Findings, finding => finding.Message.StartsWith("VocabSize is 41 in the architecture and 40 in the weights", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.Message.StartsWith("KeyValueDim is 32 (4 key/value heads of 8)", StringComparison.Ordinal));
    }

    [Fact]
    public void Counts_missing_layers_instead_of_naming_all_that_they_lack()
    {
        var result = _session.RunOne<CheckpointTestResult>(
            "Read-Fairseq2Checkpoint $cases/fs2 | Test-LlamaCheckpoint -Architecture (New-LlamaArchitecture deep -BasedOn $tiny -NumLayers 3)");

        Assert.False(result.Passed);
        Assert.Equal(["NumLayers is 3 in the architecture and 2 in the weights"], result.Findings.Select(finding => finding.Message));
    }

    [Theory]
    [InlineData("lora", "decoder.layers.0.self_attn.q_proj.lora_A", "decoder.layers.0.self_attn.q_proj.lora_B",
        "decoder.layers.1.self_attn.q_proj.lora_A", "decoder.layers.1.self_attn.q_proj.lora_B")]
    [InlineData("bias", "decoder.layers.0.self_attn.q_proj.bias")]
    public void Finds_parameters_that_no_LLaMA_has(string name, params string[] tensors)
    {
        _session["name"] = name;

        var result = _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $cases/$name | Test-LlamaCheckpoint -Architecture $tiny");

        Assert.False(result.Passed);
        Assert.All(result.Findings, finding => Assert.Equal((FindingSeverity.Error, CheckpointErrorCode.UnmappedTensor), (finding.Severity, finding.Code)));
        Assert.Equal(tensors, result.Findings.Select(finding => finding.Tensor));
    }

    [Fact]
    public void Misses_the_output_where_the_architecture_says_that_it_is_not_tied()
    {
        var result = _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $cases/tied-absent | Test-LlamaCheckpoint -Architecture $tiny");

        Assert.False(result.Passed);
        var finding = Assert.Single(result.Findings);
        Assert.Equal(CheckpointErrorCode.MissingTensor, finding.Code);
        Assert.Equal("final_proj.weight", finding.Tensor);
        Assert.Contains("not tied", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_that_no_known_architecture_fits_where_none_is_named()
    {
        var result = _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $cases/fs2 | Test-LlamaCheckpoint");

        Assert.False(result.Passed);
        Assert.Null(result.Architecture);
        var finding = Assert.Single(result.Findings);
        Assert.Equal(CheckpointErrorCode.ArchitectureRequired, finding.Code);
        Assert.Contains("New-LlamaArchitecture", finding.Message, StringComparison.Ordinal);
        Assert.Contains("-ModelDim 16 -NumLayers 2", finding.Message, StringComparison.Ordinal);
    }

    /// <summary>llama3_8b and llama3_1_8b have the same shapes and the same params.json, but not the same config.json and model.yaml.</summary>
    [External]
    [Theory]
    [InlineData("", "config.json differ", "model.yaml differ", "model.gguf differ")]
    [InlineData("-For HuggingFace", "config.json differ")]
    [InlineData("-For Fairseq2", "model.yaml differ")]
    [InlineData("-For Gguf", "model.gguf differ")]
    [InlineData("-For Reference")]
    [InlineData("-Architecture llama3_1_8b")]
    public void Finds_that_an_export_would_ask_for_the_architecture(string arguments, params string[] messages)
    {
        using var folder = new TempFolder();
        WriteLlama3(folder["model.pt"]);
        _session["path"] = folder.Path;

        var result = _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint $path {arguments}");

        Assert.Equal(messages.Length == 0, result.Passed);
        Assert.All(result.Findings, finding => Assert.Equal((FindingSeverity.Error, CheckpointErrorCode.ArchitectureRequired), (finding.Severity, finding.Code)));
        Assert.Equal(messages.Length, result.Findings.Length);
        Assert.All(result.Findings.Zip(messages), pair => Assert.Contains(pair.Second, pair.First.Message, StringComparison.Ordinal));
    }

    [External]
    [Theory]
    [InlineData("Reference", "LlamaReference", true)]
    [InlineData("HuggingFace", "LlamaHuggingFace", false)]
    [InlineData("Fairseq2", "Fairseq2", false)]
    public void Passes_just_what_an_export_takes(string target, string command, bool passes)
    {
        using var folder = new TempFolder();
        WriteLlama3(folder["model.pt"]);
        _session["path"] = folder.Path;

        Assert.Equal(passes, _session.RunOne<bool>($"Test-LlamaCheckpoint $path -For {target} -Quiet"));
        Assert.Equal(passes ? [] : ["ArchitectureRequired"], _session.RunOn($"Read-Fairseq2Checkpoint $path | Export-{command}Checkpoint $path/out -WhatIf").ErrorIds);
    }

    [Fact]
    public void Finds_a_pickle_with_a_wrong_checksum()
    {
        using var folder = new TempFolder();
        CheckpointFolder.Copy("fs2", folder["run"]);
        DamageChecksumOfPickle(folder["run/model.pt"]);
        _session["path"] = folder["run"];

        var result = _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $path | Test-LlamaCheckpoint -Architecture $tiny");

        Assert.False(result.Passed);
        var finding = Assert.Single(result.Findings);
        Assert.Equal(CheckpointErrorCode.CheckpointCorrupt, finding.Code);
        Assert.Equal(folder["run/model.pt"], finding.File);
    }

    [Fact]
    public void Gives_only_true_or_false_when_quiet()
    {
        var results = _session.Run<bool>(
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/lora, $cases/ddp | Test-LlamaCheckpoint -Architecture $tiny -Quiet");

        Assert.Equal([true, false, true], results);
    }

    [Fact]
    public void Refuses_an_unknown_architecture_before_it_tests_anything()
    {
        var error = _session.RunForTerminatingError("Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Test-LlamaCheckpoint -Architecture gpt2");

        ErrorAssert.Is(CheckpointErrorCode.ArchitectureUnknown, error, "'gpt2'");
    }

    [Fact]
    public void Reports_a_path_where_there_is_nothing_and_goes_on()
    {
        var outcome = _session.RunOn("'a path', (Read-Fairseq2Checkpoint $cases/fs2) | Test-LlamaCheckpoint -Architecture $tiny -Quiet");

        Assert.Equal(["True"], outcome.Names);
        Assert.Equal(["CheckpointNotFound"], outcome.ErrorIds);
    }

    [Fact]
    public void Is_for_one_of_the_formats_that_are_written()
    {
        var command = _session.RunOne<CmdletInfo>("Get-Command Test-LlamaCheckpoint");

        Assert.Equal(
            CheckpointFormats.Written.Select(format => $"{format.Format}").Order(StringComparer.Ordinal),
            command.Parameters["For"].Attributes.OfType<ValidateSetAttribute>().Single().ValidValues.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Says_what_it_gives()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command Test-LlamaCheckpoint")).BaseObject;

        Assert.Equal([typeof(CheckpointTestResult), typeof(bool)], command.OutputType.Select(type => type.Type));
        Assert.Equal(["Model"], command.Parameters["Architecture"].Aliases);
    }

    /// <summary>In its true shapes, of which each file holds a single number.</summary>
    private static void WriteLlama3(string path) => PyTorch.Ask(
        """
        import sys, torch
        zero = torch.zeros(1, dtype=torch.bfloat16)
        shapes = {'decoder_frontend.embed': (128256, 4096), 'decoder.layer_norm': (4096,), 'final_proj': (128256, 4096)}
        for layer in range(32):
            shapes |= {f'decoder.layers.{layer}.{name}': shape for name, shape in {
                'self_attn.q_proj': (4096, 4096), 'self_attn.k_proj': (1024, 4096), 'self_attn.v_proj': (1024, 4096), 'self_attn.output_proj': (4096, 4096),
                'self_attn_layer_norm': (4096,), 'ffn.gate_proj': (14336, 4096), 'ffn.inner_proj': (14336, 4096), 'ffn.output_proj': (4096, 14336),
                'ffn_layer_norm': (4096,)}.items()}
        torch.save({'model': {name + '.weight': zero.expand(shape) for name, shape in shapes.items()}}, sys.argv[1])
        """,
        path);

    /// <summary>In the central directory, which is what readers go by. The pickle is the first entry in it.</summary>
    private static void DamageChecksumOfPickle(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var entry = bytes.AsSpan().IndexOf("PK\x01\x02"u8);
        bytes[entry + 16] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
