namespace Fairseq2Llama;

/// <summary>How many numbers fall into a range.</summary>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends; only the last bin includes its end.</param>
/// <param name="Count">How many numbers are in it.</param>
public sealed record HistogramBin(double From, double To, long Count)
{
    /// <summary>The range and the count.</summary>
    public override string ToString() => FormattableString.Invariant($"{From:G4}..{To:G4}: {Count}");
}
