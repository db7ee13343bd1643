using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>Metadata of all versions, and of none, beside data that is there.</summary>
public sealed class MetadataTests : IDisposable
{
    private const string Norm = "norm.weight", DataName = "__0_0.distcp";

    private readonly TempFolder _folder = new();

    public static TheoryData<string> Generations => [.. MetadataGeneration.Known.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Generations))]
    public void Each_version_of_PyTorch_is_read(string version)
    {
        var parts = Save(DataName, Whole(4));
        Write(".metadata", new MetadataBuilder { Generation = MetadataGeneration.Known[version] }.Tensor(Norm, "float32", [4], parts).Saved("train_state"));

        AssertNorm(4);
    }

    [Fact]
    public void Attributes_of_later_versions_are_passed_over()
    {
        var parts = Save(DataName, Whole(4));
        Write(
            ".metadata",
            new MetadataBuilder
            {
                More = all => all.Text("later").Op(Opcode.EmptyList),
                MoreOfItem = item => item.Text("storage_key").Text("x"),
                MoreProperties = properties => properties.Integers(1),
            }.Tensor(Norm, "float32", [4], parts));

        AssertNorm(4);
    }

    [Fact]
    public void Ranks_with_metadata_of_their_own_are_put_together()
    {
        var first = Save("__0_0.distcp", new MetadataPart([0], [4]));
        var second = Save("__1_0.distcp", new MetadataPart([4], [4]), new MetadataPart([0], [4]));
        Write("__0.metadata", new MetadataBuilder().Tensor(Norm, "float32", [8], first));
        Write("__1.metadata", new MetadataBuilder().Tensor(Norm, "float32", [8], second));

        AssertNorm(8);
    }

    [Fact]
    public void A_rank_without_metadata_is_missing()
    {
        Write("__0.metadata", new MetadataBuilder().Tensor(Norm, "float32", [8], Save(DataName, new MetadataPart([0], [4]))));
        Write("__2.metadata", new MetadataBuilder().Tensor(Norm, "float32", [8]));
        ErrorAssert.Throws(CheckpointErrorCode.MissingShard, () => Read(), "__1.metadata");

        // Nothing says that there were more ranks than there are files, but the tensors do.
        File.Delete(_folder["__2.metadata"]);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), Norm, "4 of its 8");
    }

    [Fact]
    public void A_tensor_without_dims_has_one_element()
    {
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [], Save(DataName, new MetadataPart([], []))));

        AssertNorm();
    }

    [Fact]
    public void Items_may_lie_in_folders()
    {
        Directory.CreateDirectory(_folder["a"]);
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], Save("a/__0_0.distcp", Whole(4))));

        AssertNorm(4);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../__0_0.distcp")]
    [InlineData("a/../../__0_0.distcp")]
    [InlineData("a//__0_0.distcp")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a\\b")]
    [InlineData("C:\\x")]
    public void Items_lie_nowhere_else(string path)
    {
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], Whole(4) with { File = path, Length = 4 }));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read());
    }

    public static TheoryData<string, long[], long[], long[], long[]> Tilings => new()
    {
        { "overlap", [0], [3], [2], [2] },
        { "not complete", [0], [1], [2], [2] },
        { "outside", [0], [2], [2], [3] },
        { "outside", [0], [2], [long.MaxValue], [2] },
        { "outside", [0], [2], [0, 2], [1, 2] },
        { "outside", [0], [2], [2], [1, 2] },
    };

    [Theory]
    [MemberData(nameof(Tilings))]
    public void Chunks_must_tile_their_tensor(string what, long[] offsets, long[] sizes, long[] otherOffsets, long[] otherSizes)
    {
        Save(DataName, Whole(4));
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], new MetadataPart(offsets, sizes) { Length = 100 }, new MetadataPart(otherOffsets, otherSizes) { Length = 100 }));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), Norm, what);
    }

    [Fact]
    public void A_chunk_needs_a_place()
    {
        var parts = Save(DataName, new MetadataPart([0], [2]), new MetadataPart([2], [2]));
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], parts[0], parts[1] with { File = null }));
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), Norm, "(2)");

        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], parts[0], parts[1] with { KeyOffsets = [3] }));
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), Norm, "(2)");
    }

    [Fact]
    public void Places_in_any_order_are_found()
    {
        var parts = Save(DataName, [.. Enumerable.Range(0, 8).Select(i => new MetadataPart([i], [1]))]);
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [8], [parts[5], parts[0], parts[7], parts[2], parts[1], parts[6], parts[4], parts[3]]));

        AssertNorm(8);
    }

    [Theory]
    [InlineData(1_000_000, 4)]
    [InlineData(0, 1_000_000)]
    [InlineData(long.MaxValue, 4)]
    [InlineData(8, long.MaxValue)]
    public void Items_must_lie_in_their_file(long offset, long length)
    {
        Save(DataName, Whole(4));
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], Whole(4) with { Offset = offset, Length = length }));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(), Norm, DataName);
    }

    [Theory]
    [InlineData("complex32")]
    [InlineData("quint8")]
    [InlineData("float8_e8m0fnu")]
    public void Types_that_no_weight_has_are_those_of_the_optimizer_only(string dtype)
    {
        var parts = Save(DataName, Whole(4));
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], parts).Tensor("optimizer.state.norm.weight.exp_avg", dtype, [4], parts));
        AssertNorm(4);

        Write(".metadata", new MetadataBuilder().Tensor(Norm, dtype, [4], parts));
        ErrorAssert.Throws(CheckpointErrorCode.UnsupportedTensor, () => Read(), Norm, dtype);
    }

    [Fact]
    public void Transformed_items_are_refused()
    {
        Write(
            ".metadata",
            new MetadataBuilder { MoreOfItem = item => item.Text("transform_descriptors").Op(Opcode.EmptyList).Text("stream.zstd/1").Op(Opcode.Append) }
                .Tensor(Norm, "float32", [4], Save(DataName, Whole(4))));

        ErrorAssert.Throws(CheckpointErrorCode.UnsupportedTensor, () => Read(), "extension");
    }

    public static TheoryData<string, CheckpointErrorCode> Items => new()
    {
        { "another type", CheckpointErrorCode.CheckpointCorrupt },
        { "another shape", CheckpointErrorCode.CheckpointCorrupt },
        { "a list", CheckpointErrorCode.CheckpointCorrupt },
        { "no zip", CheckpointErrorCode.CheckpointCorrupt },
        { "a hostile pickle", CheckpointErrorCode.UnsafePickle },
    };

    [Theory]
    [MemberData(nameof(Items))]
    public void An_item_must_be_what_the_metadata_says(string what, CheckpointErrorCode code)
    {
        var item = what switch
        {
            "another type" => Item("HalfStorage", [4]),
            "another shape" => Item("FloatStorage", [2, 2]),
            "a list" => ZipBuilder.TorchSave("archive/", new PickleBuilder().OpWith(Opcode.Proto, 2).Op(Opcode.EmptyList).Stop()).Build(),
            "no zip" => new byte[600],
            _ => ZipBuilder.TorchSave("archive/", new PickleBuilder().OpWith(Opcode.Proto, 2).Global("posix", "system").Text("id").Op(Opcode.Tuple1, Opcode.Reduce).Stop()).Build(),
        };

        File.WriteAllBytes(_folder[DataName], item);
        Write(".metadata", new MetadataBuilder().Tensor(Norm, "float32", [4], Whole(4) with { Length = item.Length }));
        var checkpoint = Read();

        ErrorAssert.Throws(code, () => checkpoint.Locate(checkpoint.Tensors, TestContext.Current.CancellationToken), DataName);
    }

    private static MetadataPart Whole(long count) => new([0], [count]);

    private static byte[] Item(string storage, long[] shape, params ReadOnlySpan<float> values)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var data = new byte[count * (storage == "HalfStorage" ? 2 : 4)];
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).CopyTo(data);
        long[] strides = [.. shape.Select((_, dim) => shape[(dim + 1)..].Aggregate(1L, (product, size) => product * size))];
        return ZipBuilder.TorchSave("archive/", new PickleBuilder().OpWith(Opcode.Proto, 2).Tensor(part => part.Storage(storage, "0", count), 0, shape, strides).Stop(), ("0", data)).Build();
    }

    /// <summary>Appends items to a file: each element is the number of its place.</summary>
    private MetadataPart[] Save(string file, params MetadataPart[] parts)
    {
        using var stream = File.Create(_folder[file]);

        return Array.ConvertAll(parts, part =>
        {
            var first = part.Offsets is [var offset] ? offset : 0;
            float[] values = [.. Enumerable.Range(0, (int)part.Sizes.Aggregate(1L, (product, size) => product * size)).Select(i => (float)(first + i))];
            var item = Item("FloatStorage", part.Sizes, values);
            var begin = stream.Position;
            stream.Write(item);
            return part with { File = file, Offset = begin, Length = item.Length };
        });
    }

    private void Write(string name, MetadataBuilder metadata) => File.WriteAllBytes(_folder[name], metadata.Build());

    private DistributedCheckpoint Read() =>
        DistributedCheckpoint.Read(_folder.Path, new CheckpointReadOptions { Architecture = TinyModel.Architecture }, TestContext.Current.CancellationToken);

    private void AssertNorm(params long[] shape)
    {
        var tensor = Assert.Single(Read().Tensors);
        var bytes = TensorBytes.Of(new TensorSlice(tensor.Copies[0], tensor.Shape).ToStorage(tensor.DType));

        Assert.Equal(shape, tensor.Shape.Sizes.ToArray());
        Assert.Equal(Enumerable.Range(0, (int)tensor.Shape.ElementCount).Select(i => (float)i), System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }
}
