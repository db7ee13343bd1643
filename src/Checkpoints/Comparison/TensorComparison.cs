using System.Globalization;

namespace Fairseq2Llama;

/// <summary>How a tensor of one checkpoint compares with the same one of another.</summary>
public sealed record TensorComparison
{
    /// <summary>Its name in fairseq2's convention; of what LLaMA does not have, the one that its checkpoint has for it.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the one checkpoint.</summary>
    public string Reference { get; init; } = "";

    /// <summary>The name of the other checkpoint.</summary>
    public string Difference { get; init; } = "";

    /// <summary>The decoder layer that it belongs to, from 0; null outside of the layers.</summary>
    public int? Layer => (ReferenceTensor ?? DifferenceTensor)?.Layer;

    /// <summary>The result.</summary>
    public ComparisonResult Result { get; init; }

    /// <summary>
    /// How many elements differ, even within the tolerance; null if none were compared. With a tolerance, integers that float64 can't tell
    /// apart (beyond 2^53) count as the same.
    /// </summary>
    public long? DifferingElements { get; init; }

    /// <summary>The greatest distance of two numbers, computed in float64; null where no numbers were compared. Infinite where only one of two is finite.</summary>
    public double? MaxAbsoluteDifference { get; init; }

    /// <summary>The mean distance of two numbers; null where no numbers were compared.</summary>
    public double? MeanAbsoluteDifference { get; init; }

    /// <summary>
    /// The L2 norm of the reference minus the difference: the square root of the sum of the squared distances, in float64. Null where no numbers
    /// were compared, 0 where none differs, and infinite where only one of two numbers is finite.
    /// </summary>
    public double? NormOfDifference { get; init; }

    /// <summary>
    /// The L2 norm of the reference, in float64; null where no numbers were compared. NaN or infinite where the reference holds such a number.
    /// </summary>
    public double? ReferenceNorm { get; init; }

    /// <summary>
    /// How far the tensor moved, measured by its own size: <see cref="NormOfDifference"/> divided by <see cref="ReferenceNorm"/>. It is 0 where no
    /// number differs, even if all are 0 or NaN. It is null where no numbers were compared, and where numbers differ and the quotient is not
    /// finite: the reference is all 0, or a number on either side is NaN or infinite.
    /// </summary>
    public double? RelativeNorm => Comparison.Norms.Relative(NormOfDifference, ReferenceNorm);

    /// <summary>The cosine of the angle between the two as vectors; null where no numbers were compared, and where one is 0 or not finite.</summary>
    public double? CosineSimilarity { get; init; }

    /// <summary>The tensor of the reference; null where it has none.</summary>
    public CheckpointTensor? ReferenceTensor { get; init; }

    /// <summary>The tensor of the difference; null where it has none.</summary>
    public CheckpointTensor? DifferenceTensor { get; init; }

    /// <summary>The result in numbers, for people: <c>max 0.01241, relative norm 0.0031</c>; <c>4096x4096 and 1024x4096</c>.</summary>
    public string Description => Result switch
    {
        _ when MaxAbsoluteDifference is not null => string.Create(
            CultureInfo.InvariantCulture,
            $"max {MaxAbsoluteDifference:G4}{(RelativeNorm is null ? "" : ", relative norm ")}{RelativeNorm:G4}"),
        ComparisonResult.OnlyInReference or ComparisonResult.OnlyInDifference when (ReferenceTensor ?? DifferenceTensor) is { } only =>
            $"{only.DType.GetTorchName()} {only.Shape}",
        ComparisonResult.ShapeDiffers => $"{ReferenceTensor!.Shape} and {DifferenceTensor!.Shape}",
        ComparisonResult.DTypeDiffers => $"{ReferenceTensor!.DType.GetTorchName()} and {DifferenceTensor!.DType.GetTorchName()}",
        _ => "",
    };

    /// <summary>The name and the result.</summary>
    public override string ToString() => $"{Name}: {Result}";
}
