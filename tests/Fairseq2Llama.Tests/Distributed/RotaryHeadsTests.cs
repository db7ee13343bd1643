using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>Under Hugging Face's names, the rows are in an order that only the architecture tells. One that can't be right must not be used for it.</summary>
public sealed class RotaryHeadsTests : IDisposable
{
    private const string OtherModel = """
        {"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256}
        """;

    private readonly TempFolder _folder = new();

    public RotaryHeadsTests() => CheckpointFolder.CopyFiles(DistributedManifest.Cases["accelerate-2"].Path, _folder["run/pytorch_model_fsdp_0"]);

    public void Dispose() => _folder.Dispose();

    /// <summary>Its heads are larger than any tensor, so that no row would be moved, and an export with the right architecture could not tell.</summary>
    [Fact]
    public void A_config_of_another_model_nearby_is_refused_where_it_is_needed()
    {
        File.WriteAllText(_folder["run/config.json"], OtherModel);

        ErrorAssert.Throws(CheckpointErrorCode.ArchitectureMismatch, () => Read(), _folder["run/config.json"], "NumLayers is 32 in the architecture and 2 in the weights", "query and key rows");
        Assert.Equal(4, HeadDimOf(Read(architecture: TinyModel.Architecture)));
    }

    [Fact]
    public void An_architecture_of_another_model_is_refused()
    {
        ErrorAssert.Throws(CheckpointErrorCode.ArchitectureMismatch, () => Read(architecture: LlamaArchitectures.Find("llama3_8b")), "'llama3_8b' (given with -Architecture)", "query and key rows");

        File.WriteAllText(_folder["other.json"], OtherModel);
        ErrorAssert.Throws(CheckpointErrorCode.ArchitectureMismatch, () => Read(config: "other.json"), _folder["other.json"], "query and key rows");
    }

    [Fact]
    public void What_is_wrong_with_the_config_is_said_where_it_is_needed()
    {
        File.WriteAllText(_folder["run/config.json"], """{"model_type": "gpt2"}""");

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => Read(), "'gpt2'");
        Assert.Equal(4, HeadDimOf(Read(architecture: TinyModel.Architecture)));
    }

    /// <summary>Shapes do not contradict it, so it is believed; an export with other heads can't be right then.</summary>
    [Fact]
    public void An_export_with_heads_of_another_size_is_refused()
    {
        var checkpoint = Read(architecture: TinyModel.Architecture with { NumAttnHeads = 2, NumKeyValueHeads = 1 });

        ErrorAssert.Throws(
            CheckpointErrorCode.ArchitectureMismatch,
            () => CheckpointExport.Plan(checkpoint, _folder["out"], new ReferenceExportOptions { Architecture = TinyModel.Architecture }),
            "HeadDim is 4 in the architecture and 8 in the checkpoint");
    }

    [Fact]
    public void Without_any_it_is_asked_for() =>
        ErrorAssert.Throws(CheckpointErrorCode.ArchitectureRequired, () => Read(), "-Architecture", "-ConfigPath", "no known architecture");

    private static int? HeadDimOf(DistributedCheckpoint checkpoint) => Assert.Single(
        checkpoint.Tensors.Where(tensor => tensor.ParsedName.IsRotary).Select(tensor => tensor.HalfSplitHeadDim).Distinct());

    private DistributedCheckpoint Read(LlamaArchitecture? architecture = null, string? config = null) => DistributedCheckpoint.Read(
        _folder["run/pytorch_model_fsdp_0"],
        new CheckpointReadOptions { Architecture = architecture, ConfigPath = config is null ? null : new CheckpointAddress(_folder[config]) },
        TestContext.Current.CancellationToken);
}
