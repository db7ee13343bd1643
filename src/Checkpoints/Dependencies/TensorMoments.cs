namespace Fairseq2Llama.Dependencies;

/// <summary>Statistics of numbers that have streamed by. All but the last two counts are of the finite numbers.</summary>
/// <param name="Count">How many.</param>
/// <param name="Min">The smallest.</param>
/// <param name="Max">The largest.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="SquaredDeviations">The sum of the squares of their distances from the mean.</param>
/// <param name="Squares">The sum of their squares.</param>
/// <param name="Zeros">How many are 0, of either sign.</param>
/// <param name="NaNs">How many are not a number.</param>
/// <param name="Infinities">How many are infinite, of either sign.</param>
internal readonly record struct TensorMoments(
    long Count, double Min, double Max, double Mean, double SquaredDeviations, double Squares, long Zeros, long NaNs, long Infinities)
{
    public static readonly TensorMoments None = new(0, double.PositiveInfinity, double.NegativeInfinity, 0, 0, 0, 0, 0, 0);

    /// <summary>The statistics of these numbers and others together (Chan, Golub and LeVeque, 1979), without differences of large numbers.</summary>
    public TensorMoments Merge(TensorMoments other)
    {
        var count = Count + other.Count;
        var step = other.Mean - Mean;
        var share = (double)other.Count / count;

        return new TensorMoments(
            count,
            Math.Min(Min, other.Min),
            Math.Max(Max, other.Max),
            Count == 0 ? other.Mean : other.Count == 0 ? Mean : Mean + (step * share),
            Count == 0 || other.Count == 0 ? SquaredDeviations + other.SquaredDeviations : SquaredDeviations + other.SquaredDeviations + (step * step * Count * share),
            Squares + other.Squares,
            Zeros + other.Zeros,
            NaNs + other.NaNs,
            Infinities + other.Infinities);
    }
}
