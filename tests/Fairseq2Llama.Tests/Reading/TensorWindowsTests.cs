using CsCheck;
using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Tests.Reading;

public class TensorWindowsTests
{
    private const long MaxBytes = 1 << 20;

    [Fact]
    public void Tile_a_matrix_with_whole_heads() => Gen.Select(Gen.Int[1, 64], Gen.Int[1, 3000], Gen.OneOf(Gen.Long[1, 9000], Gen.Long[1, 600_000]), Gen.Int[1, 8]).Sample(
        (headDim, heads, columns, itemSize) =>
        {
            var windows = new TensorWindows(Tensor(headDim * heads, columns), headDim, itemSize);

            // In their order they go along a row of windows, then to the next.
            var (row, column) = (0L, 0L);

            foreach (var window in windows.Take(5000))
            {
                // There are millions of them, and even an assertion that holds takes its time.
                if ((row, column) != (window.Row, window.Column) || window.Rows % headDim != 0 || (window.Columns > 1 && window.Rows * window.Columns * itemSize > MaxBytes))
                {
                    Assert.Fail($"{window} of {headDim * heads}x{columns}, where ({row}, {column}) is next");
                }

                (row, column) = column + window.Columns == columns ? (row + window.Rows, 0) : (row, column + window.Columns);
            }

            Assert.True(windows.Count > 5000 || (row, column) == (headDim * heads, 0));
        },
        iter: 2000);

    [Theory]
    [InlineData(new long[0], 1)]
    [InlineData(new long[] { 0 }, 0)]
    [InlineData(new long[] { 5, 0 }, 0)]
    [InlineData(new long[] { 7 }, 1)]
    [InlineData(new long[] { 10_000_000 }, 39)]
    [InlineData(new long[] { 3, 4, 5 }, 1)]
    [InlineData(new long[] { 2, 3, 1 << 20 }, 6)]
    [InlineData(new long[] { 0, 3, 1 << 30 }, 0)]
    public void Are_as_many_as_are_needed(long[] shape, int count)
    {
        var windows = new TensorWindows(Tensor(shape), 1, 4);

        Assert.Equal(count, windows.Count);
        Assert.Equal(count, windows.Select(window => window).ToArray().Length);
    }

    /// <summary>An expanded tensor of one element can have any shape.</summary>
    [Fact]
    public void Refuse_a_tensor_that_claims_to_be_larger_than_any() =>
        Support.ErrorAssert.Throws(CheckpointErrorCode.UnsupportedTensor, () => _ = new TensorWindows(Tensor(1L << 31, 1L << 31), 1, 1), "larger than any");

    [Fact]
    public void Refuse_a_large_tensor_whose_first_two_dimensions_are_small() =>
        Support.ErrorAssert.Throws(CheckpointErrorCode.UnsupportedTensor, () => _ = new TensorWindows(Tensor(1, 1, 1L << 30), 1, 4), "1x1x1073741824");

    private static CheckpointTensor Tensor(params ReadOnlySpan<long> shape) => new(
        ParameterName.Parse("tensor", NamingConvention.Fairseq2), DType.Float32, new TensorShape(shape), null, [], []);
}
