using System.Runtime.InteropServices;
using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>Safetensors files that describe themselves as parts of a checkpoint, as PyTorch's HuggingFaceStorageWriter leaves them (hf_storage.py, _hf_utils.py).</summary>
public sealed class ShardFileTests : IDisposable
{
    private const string Norm = "norm.weight";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("sharded")]
    [InlineData(".")]
    public void Shards_are_put_together(string folder)
    {
        Write(folder, 2, Info(Norm, "2"), [2, 3]);
        Write(folder, 1, Info(Norm, "0"), [0, 1]);

        AssertNorm();
    }

    /// <summary>PR 189945: keys of their own where a file holds several chunks of a tensor.</summary>
    [Fact]
    public void A_key_may_be_another_than_the_name()
    {
        Write("sharded", 1, """{"norm.weight":{"saved_offsets":[0]}}""", [0, 1]);
        Write("sharded", 2, """{"chunk":{"saved_offsets":[2],"logical_fqn":"norm.weight"}}""", [2, 3], key: "chunk");

        AssertNorm();
    }

    [Fact]
    public void A_rank_between_others_is_missed()
    {
        Write("sharded", 1, Info(Norm, "0"), [0, 1]);
        Write("sharded", 3, Info(Norm, "2"), [2, 3]);

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Read(), "shard-00002");
    }

    [Theory]
    [InlineData("1", "overlap")]
    [InlineData("3", "not complete")]
    [InlineData("9223372036854775807", "outside")]
    public void Shards_must_tile_a_tensor(string offset, string what)
    {
        Write("sharded", 1, Info(Norm, "0"), [0, 1]);
        Write("sharded", 2, Info(Norm, offset), [2, 3]);

        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Read(), Norm, what);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("nothing")]
    [InlineData("""{"norm.weight":[0]}""")]
    [InlineData("""{"norm.weight":{}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":0}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[-1]}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[0.5]}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":["0"]}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[0,0]}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[1e300]}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[0],"logical_fqn":1}}""")]
    [InlineData("""{"norm.weight":{"saved_offsets":[0],"logical_fqn":"\n"}}""")]
    public void Malformed_headers_are_refused(string info)
    {
        Write("sharded", 1, info, [0, 1]);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read());
    }

    private static string Info(string name, string offsets) => $$$"""{"{{{name}}}":{"saved_offsets":[{{{offsets}}}]}}""";

    private void Write(string folder, int rank, string info, float[] values, string key = Norm)
    {
        var metadata = $$"""{"DCP_SHARDING_INFO":{{JsonSerializer.Serialize(info)}},"DCP_VERSION":"1.0","format":"pt"} """;
        var header = $"{{\"__metadata__\":{metadata},{SafeTensorsBuilder.Entry(key, "F32", $"{values.Length}", 0, 4 * values.Length)}}}";
        Directory.CreateDirectory(_folder[folder]);
        File.WriteAllBytes(_folder[$"{folder}/shard-{rank:00000}-model-00001-of-00001.safetensors"], SafeTensorsBuilder.Build(header, MemoryMarshal.AsBytes<float>(values)));
    }

    private DistributedCheckpoint Read() =>
        DistributedCheckpoint.Read(_folder.Path, new CheckpointReadOptions { Architecture = TinyModel.Architecture }, TestContext.Current.CancellationToken);

    private void AssertNorm()
    {
        var tensor = Assert.Single(Read().Tensors);
        var bytes = TensorBytes.Of(new TensorSlice(tensor.Copies[0], tensor.Shape).ToStorage(tensor.DType));

        Assert.Equal([0f, 1, 2, 3], MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }
}
