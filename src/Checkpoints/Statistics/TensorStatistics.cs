using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>
/// What the numbers of a tensor are like, computed in float64. Smallest, largest, mean, deviation and norm are those of the finite numbers, so
/// that they describe the rest if a few are NaN or Inf. They are null if there are too few. Of a complex number, each of its
/// two parts counts.
/// </summary>
public sealed record TensorStatistics
{
    /// <summary>The tensor's name.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its checkpoint.</summary>
    public string Checkpoint { get; init; } = "";

    /// <summary>The decoder layer that it belongs to, from 0; null outside of the layers.</summary>
    public int? Layer { get; init; }

    /// <summary>The element type.</summary>
    public DType DType { get; init; }

    /// <summary>The shape.</summary>
    public required TensorShape Shape { get; init; }

    /// <summary>How many numbers there are, finite or not.</summary>
    public long Count { get; init; }

    /// <summary>The smallest; null where none is finite.</summary>
    public double? Min { get; init; }

    /// <summary>The largest; null where none is finite.</summary>
    public double? Max { get; init; }

    /// <summary>The mean; null where none is finite, or float64 can't hold it.</summary>
    public double? Mean { get; init; }

    /// <summary>The standard deviation of a sample (divided by one less than their number), as torch.std; null for fewer than two, or where float64 can't hold it.</summary>
    public double? Std { get; init; }

    /// <summary>The square root of the sum of their squares.</summary>
    public double Norm { get; init; }

    /// <summary>How many are 0, of either sign.</summary>
    public long Zeros { get; init; }

    /// <summary>How many are not a number.</summary>
    public long NaN { get; init; }

    /// <summary>How many are infinite, of either sign.</summary>
    public long Inf { get; init; }

    /// <summary>Bins of equal width from the smallest to the largest, as torch.histc counts; empty where it was not asked for, none is finite, or the range is greater than float64 can hold.</summary>
    public ImmutableArray<HistogramBin> Histogram { get; init; } = [];

    /// <summary>The tensor's name.</summary>
    public override string ToString() => Name;
}
