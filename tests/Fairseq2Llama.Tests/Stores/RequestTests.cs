using System.Globalization;
using Fairseq2Llama.Containers;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.SafeTensors.Writing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Stores;

/// <summary>A round trip to a store takes as long as some hundred KB, so the number of tensors must not become one of requests.</summary>
public sealed class RequestTests : IDisposable
{
    private const int Count = 20_000;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_index_of_a_torch_save_file_takes_a_handful()
    {
        var store = Write(new TorchContainer());

        var file = TorchFile.Open(store.Folder.SourceOf("file"), TestContext.Current.CancellationToken);

        Assert.Equal(Count, StateDict.In(file).Entries.Count);
        Assert.InRange(store.Requests, 1, 10);
    }

    [Fact]
    public void An_index_of_a_safetensors_file_takes_a_handful()
    {
        var store = Write(new SafeTensorsContainer(SafeTensorsContainer.PyTorchMetadata));

        var file = SafeTensorsFile.Open(store.Folder.SourceOf("file"), TestContext.Current.CancellationToken);

        Assert.Equal(Count, file.Tensors.Count);
        Assert.InRange(store.Requests, 1, 3);
    }

    [Theory]
    [InlineData("fs2")]
    [InlineData("legacy")]
    [InlineData("deflated")]
    public void A_small_file_takes_few(string name)
    {
        var store = ObjectStore.Of(Repository.Case(name));

        TorchFile.Open(store.Folder.SourceOf("model.pt"), TestContext.Current.CancellationToken);

        Assert.InRange(store.Requests, 1, 4);
    }

    /// <summary>What looks for a checkpoint asks again and again what is there, and a store need tell it only once.</summary>
    [Theory]
    [InlineData("model", "model/")]
    [InlineData("run", "run/ run/checkpoints/ run/checkpoints/step_1/ run/checkpoints/step_1/model/ run/checkpoints/step_1/model/pp_00/ run/checkpoints/step_1/model/pp_00/tp_00/")]
    public void Each_folder_is_listed_once(string key, string folders)
    {
        var store = new ObjectStore();
        var model = File.ReadAllBytes(Path.Combine(Repository.Case("fs2"), "model.pt"));
        store.Put("model/model.pt", model);
        store.Put("run/checkpoints/step_1/model/pp_00/tp_00/sdp_00.pt", model);

        Fairseq2Checkpoint.Read(store.At(key));

        Assert.Equal(folders, string.Join(' ', store.Listed));
    }

    /// <summary>Headers between large tensors can't come in one request, but several requests can run at once.</summary>
    [Fact]
    public void What_lies_far_apart_is_fetched_at_once()
    {
        var store = new ObjectStore { Latency = TimeSpan.FromMilliseconds(50) };
        var bytes = new byte[32 << 20];
        new Random(1).NextBytes(bytes);
        store.Put("file", bytes);
        using var reader = store.Folder.SourceOf("file").Open();
        ByteRange[] ranges = [.. Enumerable.Range(0, 32).Select(i => new ByteRange((long)i << 20, 30))];

        reader.Expect(ranges);

        foreach (var range in ranges)
        {
            Assert.Equal(bytes[(int)range.Offset..(int)range.End], Read(reader, range));
        }

        Assert.Equal(32, store.Requests);
        Assert.InRange(store.MostAtOnce, 2, 64);
    }

    /// <summary>Announcing is a hint: whatever was said, what is read is what is there.</summary>
    [Fuzz]
    [Fact]
    public void Any_ranges_are_read_whatever_was_announced()
    {
        const int Length = 20 << 20;

        var random = new Random(7);
        var store = new ObjectStore();
        var bytes = new byte[Length];
        random.NextBytes(bytes);
        store.Put("file", bytes);
        using var reader = store.Folder.SourceOf("file").Open();

        for (var i = 0; i < 100; i++)
        {
            reader.Expect([.. Enumerable.Range(0, random.Next(50)).Select(_ => new ByteRange(random.NextInt64(-10, Length + 10), random.NextInt64(-1, 6 << 20)))]);

            for (var j = 0; j < 5; j++)
            {
                var length = random.Next(1, j == 0 ? 9 << 20 : 100_000);
                var range = new ByteRange(random.Next(Length - length), length);
                Assert.True(bytes.AsSpan((int)range.Offset, length).SequenceEqual(Read(reader, range)), string.Create(CultureInfo.InvariantCulture, $"{range}"));
            }
        }
    }

    [Fact]
    public void A_fault_of_what_is_fetched_ahead_is_that_of_the_store()
    {
        var store = new ObjectStore { Fault = (key, _) => new CheckpointException(CheckpointErrorCode.ReadFailed, "busy", key) };
        store.Put("file", new byte[100]);
        using var reader = store.Folder.SourceOf("file").Open();
        reader.Expect([new ByteRange(0, 10)]);

        ErrorAssert.Throws(CheckpointErrorCode.ReadFailed, () => Read(reader, new ByteRange(0, 10)), "busy");
    }

    private static byte[] Read(IByteReader reader, ByteRange range)
    {
        var bytes = new byte[range.Length];
        reader.Read(range.Offset, bytes);
        return bytes;
    }

    private ObjectStore Write(ITensorContainer container)
    {
        var tensors = Enumerable.Range(0, Count).Select(i => PlannedTensors.Make(string.Create(CultureInfo.InvariantCulture, $"layers.{i}.weight"), DType.Float32, 4));
        TensorFiles.Write(new PlannedTensorFile("file", container, tensors), _folder);
        return ObjectStore.Of(_folder.Path);
    }
}
