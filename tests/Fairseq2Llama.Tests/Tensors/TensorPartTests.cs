using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

public class TensorPartTests
{
    private static readonly TensorView Box = NaiveView.Contiguous(new byte[24], DType.UInt8, 2, 3, 4).On(new MemorySource(new byte[24]), 0);

    [Fact]
    public void Parts_at_one_place_are_equal_however_they_got_there()
    {
        TensorPart[] parts = [new(Box, 0, 5), new(Box, 0, 5, 0), new TensorPart(Box).MovedBy(1, 5), new TensorPart(Box, 0, 5, 7).MovedBy(2, -7)];

        Assert.Single(parts.Distinct());
        Assert.Single(parts.Select(part => part.GetHashCode()).Distinct());
        Assert.NotEqual(parts[0], new TensorPart(Box, 5));
    }

    [Fact]
    public void A_range_may_lie_along_any_dim() =>
        Assert.Equal(new TensorPart(Box.Narrow(2, 0, 2), 7, 8, 1), new TensorPart(Box, 7, 8, 9).Within(2, 8, 3));

    [Fact]
    public void Nothing_of_an_empty_part_is_in_any_range()
    {
        var empty = NaiveView.Contiguous([], DType.UInt8, 0).On(new MemorySource([]), 0);

        Assert.Null(new TensorPart(empty).Within(1, 0, 8));
    }

    /// <summary>A checkpoint can have a million tensors, most of them whole.</summary>
    [Fact]
    public void A_whole_tensor_as_a_part_takes_no_memory()
    {
        var parts = new TensorPart[100_000];
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new TensorPart(Box);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, parts.Length);
    }
}
