using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Transfer;

/// <summary>Tensors whose bytes are in no file but computed, beside some that are read.</summary>
public sealed class ComputedStorageTests : IDisposable
{
    /// <summary>The frequencies come one by one, as a large tensor would in parts.</summary>
    private static readonly PlannedTensor[] Tensors =
    [
        Computed("rope_freqs", DType.Float32, 3, sink =>
        {
            foreach (var number in (float[])[1, 2.5f, -8])
            {
                var chunk = new byte[sizeof(float)];
                BinaryPrimitives.WriteSingleLittleEndian(chunk, number);
                sink(chunk);
            }
        }),
        PlannedTensors.Make("read", DType.UInt8, 5),
        Computed("none", DType.BFloat16, 0, _ => { }),
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [External]
    [Fact]
    public void PyTorch_reads_them()
    {
        var path = TensorFiles.Write(new PlannedTensorFile("computed.pt", new TorchContainer(), Tensors), _folder);

        Assert.Equal(
            "rope_freqs torch.float32 [1.0, 2.5, -8.0] read torch.uint8 5 none torch.bfloat16 []",
            PyTorch.Ask(
                """
                import sys, torch
                tensors = torch.load(sys.argv[1], weights_only=True)
                print(*(f"{name} {tensor.dtype} {len(tensor) if name == 'read' else tensor.tolist()}" for name, tensor in tensors.items()))
                """,
                path));
    }

    /// <summary>A safetensors file is its header's length, the header and the data: Python's own library is enough to read one.</summary>
    [External]
    [Fact]
    public void Python_finds_them_in_a_safetensors_file()
    {
        var path = TensorFiles.Write(WrittenSafeTensors.Plan(Tensors), _folder);

        Assert.Equal(
            "F32 [1.0, 2.5, -8.0]",
            PyTorch.Ask(
                """
                import json, struct, sys
                file = open(sys.argv[1], "rb").read()
                begin = 8 + struct.unpack_from("<Q", file)[0]
                entry = json.loads(file[8:begin])["rope_freqs"]
                start, end = entry["data_offsets"]
                print(entry["dtype"], list(struct.unpack("<3f", file[begin + start:begin + end])))
                """,
                path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    public void They_have_to_be_as_long_as_planned(int length)
    {
        var tensor = Computed("short", DType.UInt8, 4, sink => sink(new byte[length]));

        var error = Assert.Throws<InvalidOperationException>(() => WrittenSafeTensors.Of(tensor));

        Assert.Equal($"A storage of 4 bytes was planned, and {length} were made.", error.Message);
    }

    /// <summary>Their parts end within blocks, and so do the chunks in which they are read.</summary>
    [Fact]
    public void They_can_be_transformed_on_several_threads()
    {
        int[] parts = [1_000_003, 29, 300_000];
        using var copier = new StorageCopier(ScratchFolder.In(_folder.Path), VerificationPolicy.Usual);
        var inputs = Enumerable.Range(0, 8).Select(seed => parts.Select(count => Numbers(count, seed + count)).ToArray()).ToArray();
        var outputs = inputs.Select(_ => new MemoryStream()).ToArray();

        new Workers(_ => { }, CancellationToken.None).Run([.. Enumerable.Range(0, inputs.Length)], isParallel: true, (i, cancellationToken) =>
        {
            var input = Stacked(inputs[i]);
            var blocks = PlannedStorage.Computed(DType.UInt8, input.Length / 128 * ScaledBlocks.OutputSize, sink =>
            {
                using var transform = new TransformSink(new ScaledBlocks(), sink);
                copier.Copy(input, transform.Write, cancellationToken);
            });

            copier.Copy(blocks, chunk => outputs[i].Write(chunk), cancellationToken);
        });

        Assert.Equal(inputs.Select(input => ScaledBlocks.Of([.. input.SelectMany(bytes => bytes)])), outputs.Select(output => output.ToArray()));
    }

    private static PlannedTensor Computed(string name, DType dtype, long count, Action<ChunkSink> compute) =>
        new(name, "computed", dtype, new TensorShape(count), PlannedStorage.Computed(dtype, count, compute));

    /// <summary>A vector of parts that follow each other.</summary>
    private static PlannedStorage Stacked(byte[][] parts)
    {
        var rows = 0L;
        var stacked = new List<TensorPart>();

        foreach (var bytes in parts)
        {
            var tensor = NaiveView.Contiguous(bytes, DType.Float32, bytes.Length / sizeof(float)).On(new MemorySource(bytes), origin: 0);
            stacked.Add(new TensorPart(tensor, rows));
            rows += tensor.Shape[0];
        }

        return new TensorSlice([.. stacked], new TensorShape(rows)).ToStorage(DType.Float32);
    }

    private static byte[] Numbers(int count, int seed)
    {
        var numbers = new float[count];
        var random = new Random(seed);

        for (var i = 0; i < count; i++)
        {
            numbers[i] = random.NextSingle() - 0.5f;
        }

        return MemoryMarshal.AsBytes<float>(numbers).ToArray();
    }
}
