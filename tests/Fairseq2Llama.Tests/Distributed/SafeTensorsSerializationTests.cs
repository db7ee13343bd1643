using System.Runtime.InteropServices;
using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>
/// Checkpoints that FileSystemWriter saves with SerializationFormat.SAFETENSORS (_write_files_from_queue of filesystem.py, PyTorch 2.8): saved objects come first, then all
/// tensors of a file as one safetensors file, of which metadata says where it begins, and for each tensor how long its elements are.
/// </summary>
public sealed class SafeTensorsSerializationTests : IDisposable
{
    private const string Norm = "norm.weight", Other = "layers.0.ffn_norm.weight", Saved = "saved bytes";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(Saved)]
    public void Tensors_are_found_by_the_header(string before)
    {
        WriteData(0, before, (Norm, "0", [0, 1]), (Other, "0", [4, 5]));
        WriteData(1, before, (Norm, "2", [2, 3]), (Other, "2", [6, 7]));
        WriteMetadata(before, Norm, Other);

        var checkpoint = Read();

        Assert.Equal([0f, 1, 2, 3], Values(checkpoint, Norm));
        Assert.Equal([4f, 5, 6, 7], Values(checkpoint, Other));
    }

    /// <summary>PyTorch saves several chunks of a tensor in one file under one name, so that only the last is left.</summary>
    [Fact]
    public void What_was_overwritten_is_missed()
    {
        WriteData(0, "", (Norm, "2", [2, 3]));
        WriteData(1, "", (Norm, "2", [2, 3]));
        WriteMetadata("", Norm);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), "__0_0.distcp", "lacks the part of 'norm.weight' at (0)");
    }

    [Fact]
    public void A_part_of_another_shape_is_not_taken()
    {
        WriteData(0, "", (Norm, "0", [0, 1, 2]));
        WriteData(1, "", (Norm, "2", [2, 3]));
        WriteMetadata("", Norm);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), "__0_0.distcp", "another than the metadata says");
    }

    [Fact]
    public void What_is_no_safetensors_file_is_named()
    {
        File.WriteAllText(_folder["__0_0.distcp"], "anything at all");
        File.WriteAllText(_folder["__1_0.distcp"], "anything at all");
        WriteMetadata("", Norm);

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointUnrecognized, () => Read(), "__0_0.distcp", "safetensors");
    }

    private void WriteData(int rank, string before, params (string Name, string Offset, float[] Values)[] tensors)
    {
        var info = JsonSerializer.Serialize($"{{{string.Join(',', tensors.Select(tensor => $$"""
            "{{tensor.Name}}":{"saved_offsets":[{{tensor.Offset}}]}
            """))}}}");
        var begin = 0;
        var entries = tensors.Select(tensor => SafeTensorsBuilder.Entry(tensor.Name, "F32", $"{tensor.Values.Length}", begin, begin += 4 * tensor.Values.Length)).ToArray();
        var header = $$"""{"__metadata__":{"DCP_SHARDING_INFO":{{info}},"DCP_VERSION":"1.0","format":"pt"},{{string.Join(',', entries)}}}""";
        var blob = SafeTensorsBuilder.Build(header, MemoryMarshal.AsBytes<float>(tensors.SelectMany(tensor => tensor.Values).ToArray()));

        File.WriteAllBytes(_folder[$"__{rank}_0.distcp"], [.. before.Select(letter => (byte)letter), .. blob]);
    }

    private void WriteMetadata(string before, params string[] names)
    {
        var metadata = new MetadataBuilder();

        foreach (var name in names)
        {
            metadata.Tensor(name, "float32", [4], Part(0), Part(1));
        }

        File.WriteAllBytes(_folder[".metadata"], metadata.Build());

        MetadataPart Part(int rank) => new([2 * rank], [2]) { File = $"__{rank}_0.distcp", Offset = before.Length, Length = 8 };
    }

    private DistributedCheckpoint Read() => DistributedCheckpoint.Read(_folder.Path, cancellationToken: TestContext.Current.CancellationToken);

    private static float[] Values(DistributedCheckpoint checkpoint, string name) =>
        MemoryMarshal.Cast<byte, float>(TensorBytes.Of(checkpoint.Tensors.Single(tensor => tensor.Name == name).ToStorage())).ToArray();
}
