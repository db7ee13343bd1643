namespace Fairseq2Llama.Dependencies;

/// <summary>Statistics of two rows of numbers that have streamed by side by side.</summary>
/// <param name="Count">How many pairs.</param>
/// <param name="Differing">How many pairs are not equal. NaN equals NaN.</param>
/// <param name="Max">The greatest distance; infinite where only one of a pair is finite.</param>
/// <param name="Sum">The sum of the distances.</param>
/// <param name="Squares">The sum of the squares of the distances.</param>
/// <param name="Dot">The sum of their products.</param>
/// <param name="ReferenceSquares">The sum of the squares on one side.</param>
/// <param name="DifferenceSquares">The sum of the squares on the other side.</param>
internal readonly record struct DifferenceSums(
    long Count, long Differing, double Max, double Sum, double Squares, double Dot, double ReferenceSquares, double DifferenceSquares)
{
    public static readonly DifferenceSums None;

    public DifferenceSums Merge(DifferenceSums other) => new(
        Count + other.Count,
        Differing + other.Differing,
        Math.Max(Max, other.Max),
        Sum + other.Sum,
        Squares + other.Squares,
        Dot + other.Dot,
        ReferenceSquares + other.ReferenceSquares,
        DifferenceSquares + other.DifferenceSquares);
}
