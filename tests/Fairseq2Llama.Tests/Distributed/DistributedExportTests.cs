using System.Runtime.InteropServices;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>
/// Whoever saved a checkpoint and in however many parts, its export has the weights that the model had before. The judges are what PyTorch said of other
/// checkpoints, and the file that all of them were made from.
/// </summary>
public sealed class DistributedExportTests : IDisposable
{
    /// <summary>Bytes; less than the model has, so that there are several files.</summary>
    private const int SmallShard = 4096;

    /// <summary>The case whose weights stay in the type that the original has.</summary>
    private const string HalfPrecision = "titan-bf16";

    private readonly TempFolder _out = new();
    private int _count;

    /// <summary>Those that hold a LLaMA.</summary>
    public static TheoryData<string> Cases => [.. DistributedManifest.Cases.Keys.Where(name => name != "titan-3d")];

    /// <summary>Those of them in float32, as PyTorch spoke of accelerate's.</summary>
    public static TheoryData<string> Float32Cases => [.. DistributedManifest.Cases.Keys.Except(["titan-3d", HalfPrecision])];

    /// <summary>Those that hold all layers.</summary>
    public static TheoryData<string> WholeCases =>
    [
        .. DistributedManifest.Cases.Keys.Where(name => name != "titan-3d" && DistributedManifest.Cases[name].Architecture.NumLayers == TinyModel.Architecture.NumLayers),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _out.Dispose();

    /// <summary>Accelerate's checkpoints have other names and another order of rows than torchtitan's, whose hashes these are.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void To_Metas_format_gives_what_PyTorch_said_of_torchtitans(string name)
    {
        foreach (var shardCount in new[] { 1, 2 })
        {
            var folder = Export(name, new ReferenceExportOptions { ShardCount = shardCount });

            Assert.Equal(shardCount, Directory.GetFiles(folder, "*.pth").Length);
            AssertSame(Said(name == HalfPrecision ? name : "titan-1", name, prefix: ""), ExportedWeights.OfReference(folder, TinyModel.Architecture.ModelDim));
        }
    }

    /// <summary>Torchtitan's checkpoints have other names and another order of rows than accelerate's, whose hashes these are.</summary>
    [Theory]
    [MemberData(nameof(Float32Cases))]
    public void To_Hugging_Faces_format_gives_what_PyTorch_said_of_accelerates(string name)
    {
        foreach (var maxSize in new[] { long.MaxValue, SmallShard })
        {
            var folder = Export(name, new HuggingFaceExportOptions { MaxShardSize = maxSize });

            Assert.Equal(maxSize == SmallShard, Directory.GetFiles(folder, "*.safetensors").Length > 2);
            AssertSame(Said("accelerate-1", name, prefix: "model."), ExportedWeights.OfHuggingFace(folder));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void To_fairseq2s_format_gives_the_original(string name) =>
        AssertSame(Original(name), ExportedWeights.OfFairseq2(Export(name, new Fairseq2ExportOptions())));

    /// <summary>Not only the weights, but every byte of every file is what the original gives.</summary>
    [Theory]
    [MemberData(nameof(WholeCases))]
    public void Gives_the_files_that_the_original_gives(string name)
    {
        // In its file, the projections of the FFN are in another order than in the model.
        CheckpointTensor[] original =
        [
            .. Fairseq2Checkpoint.Read(Repository.Data("forward/attentive")).Tensors
                .Select((tensor, place) => (tensor, Place: tensor.Name.EndsWith("ffn.output_proj.weight", StringComparison.Ordinal) ? place + 1.5 : place))
                .OrderBy(item => item.Place)
                .Select(item => item.tensor),
        ];

        foreach (var (options, format) in new (ExportOptions, string)[]
        {
            (new ReferenceExportOptions(), "meta"),
            (new ReferenceExportOptions { ShardCount = 2, ParamsLayout = ParamsLayout.Flat }, "meta2"),
            (new HuggingFaceExportOptions(), "hf"),
            (new HuggingFaceExportOptions { MaxShardSize = SmallShard }, "hfs"),
            (new Fairseq2ExportOptions(), "fs2"),
        })
        {
            CheckpointExport.Plan(original, _out[format], options with { Architecture = TinyModel.Architecture, DType = DType.Float32 }, Token).Execute(cancellationToken: Token);

            Assert.Equal(CheckpointFolder.Hashes(_out[format]), CheckpointFolder.Hashes(Export(name, options)));
        }
    }

    /// <summary>The weights are bfloat16 numbers, kept as float32 by trainers. Both ways to bfloat16 must give them back.</summary>
    [Theory]
    [InlineData("titan-8")]
    [InlineData("titan-2d-8")]
    [InlineData("accelerate-4")]
    [InlineData(HalfPrecision)]
    public void Cast_back_gives_the_original_in_its_own_type(string name)
    {
        CheckpointExport.Plan(
            Fairseq2Checkpoint.Read(Repository.Data("forward/attentive")), _out["expected"], new HuggingFaceExportOptions { Architecture = TinyModel.Architecture }, Token)
            .Execute(cancellationToken: Token);

        AssertSame(
            Within(name, ExportedWeights.OfHuggingFace(_out["expected"])), ExportedWeights.OfHuggingFace(Export(name, new HuggingFaceExportOptions { DType = DType.BFloat16 })));
    }

    /// <summary>What is wrong with one row or one name shows: all tensors differ from each other.</summary>
    [Fact]
    public void No_two_tensors_of_the_original_are_the_same() =>
        Assert.Distinct(DistributedManifest.Cases["titan-1"].Model.Select(tensor => tensor.Sha256).Concat(
            DistributedManifest.Cases["accelerate-1"].Model.Where(tensor => tensor.Name.Contains("q_proj") || tensor.Name.Contains("k_proj")).Select(tensor => tensor.Sha256)));

    private static void AssertSame(Dictionary<string, string> expected, Dictionary<string, string> actual) =>
        Assert.Equal(expected.OrderBy(tensor => tensor.Key, StringComparer.Ordinal), actual.OrderBy(tensor => tensor.Key, StringComparer.Ordinal));

    /// <summary>What PyTorch said of a checkpoint, by names without a prefix; as many layers of it as another has.</summary>
    private static Dictionary<string, string> Said(string name, string other, string prefix) => Within(
        other,
        DistributedManifest.Cases[name].Model.ToDictionary(
            tensor => tensor.Name[prefix.Length..], tensor => ExportedWeights.Describe(tensor.Dtype, tensor.Shape, tensor.Sha256), StringComparer.Ordinal));

    /// <summary>Those of the layers that another case has.</summary>
    private static Dictionary<string, string> Within(string other, Dictionary<string, string> tensors)
    {
        string[] missing = [.. Enumerable.Range(0, TinyModel.Architecture.NumLayers).Skip(DistributedManifest.Cases[other].Architecture.NumLayers).Select(layer => $"layers.{layer}.")];

        return tensors.Where(tensor => !missing.Any(layer => tensor.Key.Contains(layer, StringComparison.Ordinal)))
            .ToDictionary(tensor => tensor.Key, tensor => tensor.Value, StringComparer.Ordinal);
    }

    /// <summary>The file that make_distributed.py took the weights from, in the type of a case.</summary>
    private static Dictionary<string, string> Original(string name) => Within(
        name,
        TensorFiles.Read(Repository.Data("forward/attentive/model.pt")).ToDictionary(
            entry => entry.Name,
            entry => name == HalfPrecision
                ? ExportedWeights.Describe("bfloat16", entry.Tensor.Shape.Sizes, TensorBytes.Of(entry.Tensor))
                : ExportedWeights.Describe("float32", entry.Tensor.Shape.Sizes, Widen(TensorBytes.Of(entry.Tensor))),
            StringComparer.Ordinal));

    /// <summary>A float32 begins with the bits of the bfloat16, and has zeros behind them.</summary>
    private static byte[] Widen(byte[] bfloat16) => MemoryMarshal.AsBytes<uint>(
        Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(bfloat16).ToArray(), bits => (uint)bits << 16)).ToArray();

    /// <returns>The folder.</returns>
    private string Export(string name, ExportOptions options)
    {
        var expected = DistributedManifest.Cases[name];
        var folder = _out[$"export-{_count++}"];
        var checkpoint = DistributedCheckpoint.Read(expected.Path, new CheckpointReadOptions { Architecture = expected.Architecture }, Token);
        CheckpointExport.Plan(checkpoint, folder, options, Token).Execute(cancellationToken: Token);
        return folder;
    }
}
