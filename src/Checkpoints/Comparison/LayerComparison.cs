using System.Globalization;

namespace Fairseq2Llama;

/// <summary>
/// How a layer of one checkpoint compares with the same one of another; or the embedding, the final norm, the output projection, or whatever
/// else lies outside of the layers.
/// </summary>
public sealed record LayerComparison
{
    internal LayerComparison()
    {
    }

    /// <summary>Its name: <c>embedding</c>, <c>layer 0</c>, <c>final norm</c>, <c>output</c> or <c>other</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the one checkpoint.</summary>
    public required string Reference { get; init; }

    /// <summary>The name of the other checkpoint.</summary>
    public required string Difference { get; init; }

    /// <summary>The decoder layer, from 0; null outside of the layers.</summary>
    public int? Layer { get; init; }

    /// <summary>How many tensors either checkpoint has there.</summary>
    public int TensorCount { get; init; }

    /// <summary>How many of them are equal.</summary>
    public int Equal { get; init; }

    /// <summary>The greatest distance of two numbers; null where no numbers were compared. Infinite where only one of two is finite.</summary>
    public double? MaxAbsoluteDifference { get; init; }

    /// <summary>The L2 norm of the difference of all numbers that were compared; null where none were. Infinite where only one of two is finite.</summary>
    public double? NormOfDifference { get; init; }

    /// <summary>The L2 norm of the reference's numbers that were compared; null where none were. NaN or infinite where it holds such a number.</summary>
    public double? ReferenceNorm { get; init; }

    /// <summary>
    /// <see cref="NormOfDifference"/> divided by <see cref="ReferenceNorm"/>: how far the layer moved. 0 where no number differs; null where no
    /// numbers were compared, and where the quotient is not finite.
    /// </summary>
    public double? RelativeNorm => Comparison.Norms.Relative(NormOfDifference, ReferenceNorm);

    /// <summary>The name, and how many tensors are equal.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}: {Equal} of {TensorCount} equal");
}
