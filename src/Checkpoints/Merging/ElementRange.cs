using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Merging;

/// <summary>A range of the elements of a vector or matrix, in row-major order, as windows.</summary>
internal static class ElementRange
{
    /// <param name="shape">The shape of the vector or matrix.</param>
    /// <param name="first">The first element.</param>
    /// <param name="count">How many.</param>
    /// <returns>What it has of a row that it begins within, all whole rows, and what it has of a row that it ends within; in this order.</returns>
    public static IEnumerable<TensorWindow> Divide(TensorShape shape, long first, long count)
    {
        var columns = shape.Count > 1 ? shape[1] : 1;

        while (count > 0)
        {
            var (row, column) = Math.DivRem(first, columns);
            var window = column > 0 || count < columns
                ? new TensorWindow(row, 1, column, Math.Min(columns - column, count))
                : new TensorWindow(row, count / columns, 0, columns);

            yield return window;
            first += window.Rows * window.Columns;
            count -= window.Rows * window.Columns;
        }
    }
}
