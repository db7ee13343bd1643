using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.TorchFiles.Pickle;

/// <summary>Small pickles that ask for much memory: gigabytes, had they their way.</summary>
public class PickleMemoryTests
{
    private const long MaxAllocation = 1L << 30;

    [Fact]
    public void Remembering_one_object_many_times_is_bounded() =>
        AssertBounded(New().Op(Opcode.None).Repeat(20_000_000, p => p.Op(Opcode.Memoize)));

    [Fact]
    public void A_long_shape_shared_by_many_tensors_is_bounded()
    {
        var ones = new long[50_000];
        Array.Fill(ones, 1);

        AssertBounded(New().Integers(ones).OpWith(Opcode.BinPut, 0)
            .Storage("ByteStorage", "0", 1).OpWith(Opcode.BinPut, 1)
            .Global("torch._utils", "_rebuild_tensor_v2").OpWith(Opcode.BinPut, 2)
            .Repeat(5_000, p => p.OpWith(Opcode.BinGet, 2).Op(Opcode.Mark).OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinInt1, 0)
                .OpWith(Opcode.BinGet, 0).OpWith(Opcode.BinGet, 0).Op(Opcode.NewFalse, Opcode.None, Opcode.Tuple, Opcode.Reduce)));
    }

    [Fact]
    public void A_shape_of_as_many_dims_as_there_may_be_shared_by_many_tensors_is_bounded()
    {
        var ones = new long[TensorLimits.MaxDims];
        Array.Fill(ones, 1);

        // Six bytes for each tensor.
        var pickle = New().Global("torch._utils", "_rebuild_tensor").OpWith(Opcode.BinPut, 0).Op(Opcode.Mark)
            .Storage("ByteStorage", "0", 1).Integer(0).Integers(ones).Op(Opcode.Dup, Opcode.Tuple).OpWith(Opcode.BinPut, 1)
            .Repeat(250_000, p => p.OpWith(Opcode.BinGet, 0).OpWith(Opcode.BinGet, 1).Op(Opcode.Reduce, Opcode.Pop));

        AssertBounded(pickle, maxAllocation: (64L << 20) + (256L * 6 * 250_000));
    }

    [Fact]
    public void A_list_of_pairs_made_a_dict_many_times_is_bounded()
    {
        const int Count = 1000;

        // By 20 KB.
        var pickle = New().Op(Opcode.EmptyList, Opcode.Mark);

        for (var i = 0; i < Count; i++)
        {
            pickle.Text($"{i}").Op(Opcode.None, Opcode.Tuple2);
        }

        AssertBounded(
            pickle.Op(Opcode.Appends, Opcode.Tuple1).OpWith(Opcode.BinPut, 0).Global("collections", "OrderedDict").OpWith(Opcode.BinPut, 1)
                .Repeat(2000, p => p.OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinGet, 0).Op(Opcode.Reduce)),
            maxAllocation: 64 << 20);
    }

    [Fact]
    public void A_long_list_made_a_dict_many_times_is_bounded()
    {
        var pairs = New().Op(Opcode.EmptyList);

        for (var i = 0; i < 50_000; i++)
        {
            pairs.Integers(i, i).Op(Opcode.Append);
        }

        AssertBounded(pairs.Op(Opcode.Tuple1).OpWith(Opcode.BinPut, 0).Global("collections", "OrderedDict").OpWith(Opcode.BinPut, 1)
            .Repeat(1_000, p => p.OpWith(Opcode.BinGet, 1).OpWith(Opcode.BinGet, 0).Op(Opcode.Reduce)));
    }

    private static void AssertBounded(PickleBuilder pickle, long maxAllocation = MaxAllocation)
    {
        var bytes = pickle.Stop();
        var before = GC.GetAllocatedBytesForCurrentThread();

        try
        {
            PickleBuilder.Run(bytes, out _);
        }
        catch (CheckpointException)
        {
            // Refused is as good.
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < maxAllocation, $"a pickle of {bytes.Length} bytes made the reader take {allocated} bytes");
    }

    private static PickleBuilder New() => new PickleBuilder().OpWith(Opcode.Proto, 2);
}
