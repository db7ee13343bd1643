using System.Management.Automation;
using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What the architecture decides: names, tied output, params.json.</summary>
public sealed class ExportArchitectureTests : ExportTests
{
    [External]
    [Theory]
    [InlineData("tp2-llama2", 1)]
    [InlineData("tp2-llama3", 0)]
    public void Divides_a_tied_output_along_the_vocabulary_however_the_embeddings_are(string name, int embeddingDim)
    {
        Session.Run(
            $"Read-Fairseq2Checkpoint $cases/{name} | Get-CheckpointTensor | Where-Object Name -ne final_proj.weight"
            + " | Export-LlamaReferenceCheckpoint out -Architecture $tied");

        var equal = PyTorch.Ask(
            """
            import sys, torch
            shards = [torch.load(f'{sys.argv[1]}/consolidated.0{rank}.pth', weights_only=True) for rank in (0, 1)]
            join = lambda name, dim: torch.cat([shard[name] for shard in shards], dim=dim)
            print(torch.equal(join('output.weight', 0), join('tok_embeddings.weight', int(sys.argv[2]))))
            """,
            Folder["out"],
            $"{embeddingDim}");

        Assert.Equal("True", equal);
    }

    [Fact]
    public void Names_what_LLaMA_does_not_have_and_two_ways_out()
    {
        var error = Session.RunForError(
            CheckpointErrorCode.UnmappedTensor,
            "Read-Fairseq2Checkpoint $cases/lora | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            "decoder.layers.0.self_attn.q_proj.lora_A", "decoder.layers.1.self_attn.q_proj.lora_B", "Where-Object", "-AllowUnmapped");

        Assert.Equal("decoder.layers.0.self_attn.q_proj.lora_A", error.TargetObject);
        Assert.Empty(Folder.Content);
    }

    [Theory]
    [InlineData("lora", 4, "layers.0.attention.wq.lora_A")]
    [InlineData("bias", 1, "layers.0.attention.wq.bias")]
    public void Carries_over_with_a_warning_for_each_what_LLaMA_does_not_have(string name, int warnings, string exported)
    {
        Session["name"] = name;

        var outcome = Session.RunOn("Read-Fairseq2Checkpoint $cases/$name | Export-LlamaReferenceCheckpoint out -Architecture $tiny -AllowUnmapped");

        Assert.Empty(outcome.Errors);
        Assert.Equal(warnings, outcome.Warnings.Count);
        Assert.All(outcome.Warnings, warning => Assert.Contains("decoder.layers.", warning, StringComparison.Ordinal));
        var tensors = Tensors(Folder["out/consolidated.00.pth"]);
        Assert.Equal(21 + warnings, tensors.Count);
        Assert.Contains(exported, tensors.Keys);
    }

    [Fact]
    public void Lists_every_contradiction_to_the_architecture_and_writes_nothing()
    {
        var error = Session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch,
            "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture llama3_8b",
            "'llama3_8b'", "NumLayers is 32 in the architecture and 2", "ModelDim is 4096", "VocabSize is 128256", "KeyValueDim is 1024", "FfnInnerDim is 14336");

        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Asks_for_the_architecture_where_the_shapes_are_of_none_it_knows()
    {
        var error = Session.RunForError(
            CheckpointErrorCode.ArchitectureRequired,
            "$fs2 | Export-LlamaReferenceCheckpoint out",
            Repository.Case("fs2"), "-Architecture", "New-LlamaArchitecture", "-ModelDim 16", "-NumLayers 2", "-VocabSize 40", "8", "48");

        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Writes_the_output_twice_where_it_is_tied()
    {
        Session.Run("Read-Fairseq2Checkpoint $cases/tied-absent | Export-LlamaReferenceCheckpoint out -Architecture $tied");

        AssertIsReference("tied-absent", Folder["out"]);
    }

    [Fact]
    public void Writes_the_architecture_nested_by_default()
    {
        Session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal(
            ["dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "rope_theta=10000.0"],
            Properties(Params(Folder["out"]).GetProperty("model")));
    }

    [Theory]
    [InlineData("$tiny", "dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "vocab_size=40")]
    [InlineData("(New-LlamaArchitecture a -BasedOn $tiny -RopeTheta 500000 -RopeScaleFactor 8)",
        "dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "rope_theta=500000.0", "use_scaled_rope=true", "vocab_size=40")]
    [InlineData("(New-LlamaArchitecture a -BasedOn $tiny -FfnInnerDimMultiplier 1.1 -NormEps 1e-6)",
        "dim=16", "ffn_dim_multiplier=1.1", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-06", "vocab_size=40")]
    public void Writes_the_architecture_flat_as_Metas_loaders_want_it(string architecture, params string[] properties)
    {
        Session.Run($"$fs2 | Export-LlamaReferenceCheckpoint out -Architecture {architecture} -ParamsLayout Flat");

        Assert.Equal(properties, Properties(Params(Folder["out"])));
    }

    [Fact]
    public void Finds_the_architecture_by_the_shapes_where_they_leave_one()
    {
        using var input = new TempFolder("huge");
        Session["path"] = BigCheckpoint.Write(input.Path, LlamaArchitectures.Find("33b"));

        Assert.Equal("33b", Session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $path | Test-LlamaCheckpoint").Architecture?.Name);
    }

    private static IEnumerable<string> Properties(JsonElement json) =>
        json.EnumerateObject().Select(property => $"{property.Name}={property.Value.GetRawText()}").Order(StringComparer.Ordinal);
}
