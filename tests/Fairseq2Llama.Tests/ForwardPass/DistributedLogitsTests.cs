using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>A model that several processes saved says what it said before, by the convention of each format that it is exported to.</summary>
public sealed class DistributedLogitsTests : IDisposable
{
    /// <summary>Of the largest logit. Rounding to float32 changes 3e-7 of it here, the least of the mistakes below 4e-4.</summary>
    private const double Tolerance = 1e-5;

    private static readonly ExpectedLogits Expected = ExpectedLogits.Of("attentive");

    private readonly TempFolder _out = new();
    private int _count;

    public static TheoryData<string> Names =>
    [
        "titan-1", "titan-2", "titan-4", "titan-8", "titan-2d", "titan-2d-8", "accelerate-1", "accelerate-2", "accelerate-4", "accelerate-8",
    ];

    private static LlamaArchitecture Architecture => Expected.ArchitectureOf(Expected.Checkpoints[0]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _out.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void To_Metas_format_it_says_what_it_said_before(string name)
    {
        LibTorch.Require();

        foreach (var shardCount in new[] { 1, 2 })
        {
            using var model = ReferenceModel.Load(Export(name, new ReferenceExportOptions { ShardCount = shardCount }));
            AssertSays(model);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void To_Hugging_Faces_format_it_says_what_it_said_before(string name)
    {
        LibTorch.Require();

        foreach (var maxSize in new[] { long.MaxValue, 4096 })
        {
            using var model = HuggingFaceModel.Load(Export(name, new HuggingFaceExportOptions { MaxShardSize = maxSize }));
            AssertSays(model);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void To_fairseq2s_format_it_says_what_it_said_before(string name)
    {
        using var model = CheckpointModel.Of(Fairseq2Checkpoint.Read(Export(name, new Fairseq2ExportOptions())), Architecture);
        AssertSays(model);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void As_it_is_read_it_says_what_it_said_before(string name)
    {
        using var model = CheckpointModel.Of(Read(name, Architecture));
        AssertSays(model);
    }

    /// <summary>Only the size of a head tells how the rows of accelerate's checkpoints are ordered, and no shape shows it.</summary>
    [Fact]
    public void Heads_of_another_size_are_not_the_same()
    {
        LibTorch.Require();
        var wrong = Architecture with { NumAttnHeads = 2, NumKeyValueHeads = 1 };
        CheckpointExport.Plan(Read("accelerate-2", wrong), _out["out"], new Fairseq2ExportOptions(), Token).Execute(cancellationToken: Token);

        using var model = CheckpointModel.Of(Fairseq2Checkpoint.Read(_out["out"]), Architecture);

        Assert.True(Expected.DistanceTo(model.Logits(Expected.Tokens)) > 10 * Tolerance);
    }

    private static void AssertSays(ReferenceModel model)
    {
        var distance = Expected.DistanceTo(model.Logits(Expected.Tokens));
        Assert.True(distance < Tolerance, $"{distance:e2}");
    }

    private static DistributedCheckpoint Read(string name, LlamaArchitecture architecture) =>
        DistributedCheckpoint.Read(DistributedManifest.Cases[name].Path, new CheckpointReadOptions { Architecture = architecture }, Token);

    /// <returns>The folder.</returns>
    private string Export(string name, ExportOptions options)
    {
        var folder = _out[$"export-{_count++}"];
        CheckpointExport.Plan(Read(name, Architecture), folder, options, Token).Execute(cancellationToken: Token);
        return folder;
    }
}
