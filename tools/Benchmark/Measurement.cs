namespace Fairseq2Llama.Benchmark;

/// <summary>All runs of one contestant.</summary>
/// <param name="Name">The contestant.</param>
/// <param name="Samples">Its runs; at least one.</param>
/// <param name="Space">What the file system held before and after; null where it was not measured, or nothing is written.</param>
internal sealed record Measurement(string Name, IReadOnlyList<Sample> Samples, UsedSpace? Space = null)
{
    /// <summary>Seconds.</summary>
    public double Median { get; } = MedianOf([.. Samples.Select(sample => sample.Seconds).Order()]);

    public double Min => Samples.Min(sample => sample.Seconds);

    public double Max => Samples.Max(sample => sample.Seconds);

    /// <summary>Of all runs the highest, because that is what a machine needs to have.</summary>
    public long? PeakBytes => Samples.Max(sample => sample.PeakBytes);

    /// <summary>How much of the time of another one this takes, compared round by round, so that what disturbs a round disturbs both.</summary>
    public double RatioTo(Measurement other) =>
        MedianOf([.. Samples.Zip(other.Samples, (its, others) => its.Seconds / others.Seconds).Order()]);

    private static double MedianOf(double[] ordered) =>
        (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
}

/// <summary>Bytes that all files of a file system take, whoever's they are, before and after a run.</summary>
internal readonly record struct UsedSpace(long Before, long After);
