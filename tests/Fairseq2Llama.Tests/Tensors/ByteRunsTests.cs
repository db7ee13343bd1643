using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

/// <summary>What lies together in the file is one run, so that it is read and copied as one.</summary>
public class ByteRunsTests
{
    private static readonly NaiveView Matrix = NaiveView.Contiguous(new byte[4 * 6 * 4], DType.Float32, 4, 6);

    [Fact]
    public void A_contiguous_tensor_is_one_run()
    {
        var runs = Of(Matrix);

        Assert.Equal((0, 96, 0), (runs.Offset, runs.RunLength, runs.Axes.Length));
        Assert.True(runs.IsWholeStorage);
    }

    [Fact]
    public void A_slice_of_rows_is_one_run()
    {
        var runs = Of(Matrix.Slice(0, 1, 3));

        Assert.Equal((24, 48, 0), (runs.Offset, runs.RunLength, runs.Axes.Length));
        Assert.False(runs.IsWholeStorage);
    }

    [Fact]
    public void A_slice_of_columns_is_one_run_for_each_row()
    {
        var runs = Of(Matrix.Slice(1, 2, 4));

        Assert.Equal((8, 8), (runs.Offset, runs.RunLength));
        Assert.Equal([new RunAxis(4, 24)], runs.Axes);
    }

    [Fact]
    public void A_transposed_matrix_is_one_run_for_each_element()
    {
        var runs = Of(Matrix.Permute(1, 0));

        Assert.Equal((0, 4), (runs.Offset, runs.RunLength));
        Assert.Equal([new RunAxis(6, 4), new RunAxis(4, 24)], runs.Axes);
    }

    [Fact]
    public void Axes_that_continue_each_other_are_one()
    {
        // (2, 2, 6) of every second column: the two outer axes go on where the inner one ends.
        var runs = Of(NaiveView.Contiguous(new byte[96], DType.Float32, 2, 2, 6).Slice(2, 0, 6, 2));

        Assert.Equal([new RunAxis(12, 8)], runs.Axes);
    }

    [Fact]
    public void Dimensions_of_size_one_do_not_matter() =>
        Assert.True(Of(Matrix with { Sizes = [1, 4, 1, 6], Strides = [77, 6, 55, 1] }).IsWholeStorage);

    [Fact]
    public void The_length_counts_repeated_bytes_as_often_as_they_are_wanted() => Assert.Equal(5 * 96, Of(Matrix.Expand(0, 5)).Length);

    [Fact]
    public void An_empty_tensor_on_a_full_storage_is_not_the_whole_of_it()
    {
        var runs = Of(Matrix.Slice(0, 0, 0));

        Assert.Equal(0, runs.Length);
        Assert.False(runs.IsWholeStorage);
    }

    private static ByteRuns Of(NaiveView view) => ByteRuns.Of(view.On(new MemorySource([]), origin: 0));
}
