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

    /// <summary>What came out.</summary>
    public ComparisonResult Result { get; init; }

    /// <summary>
    /// How many elements differ, be it within the tolerance; null where none were compared. With a tolerance, integers that float64 can't tell
    /// apart (beyond 2^53) count as the same.
    /// </summary>
    public long? DifferingElements { get; init; }

    /// <summary>The greatest distance of two numbers, computed in float64; null without a tolerance. Infinite where only one of two is finite.</summary>
    public double? MaxAbsoluteDifference { get; init; }

    /// <summary>The mean distance of two numbers; null without a tolerance.</summary>
    public double? MeanAbsoluteDifference { get; init; }

    /// <summary>The cosine of the angle between the two as vectors; null without a tolerance, and where one is 0 or not finite.</summary>
    public double? CosineSimilarity { get; init; }

    /// <summary>The tensor of the reference; null where it has none.</summary>
    public CheckpointTensor? ReferenceTensor { get; init; }

    /// <summary>The tensor of the difference; null where it has none.</summary>
    public CheckpointTensor? DifferenceTensor { get; init; }

    /// <summary>The result in numbers, for people: <c>3 of 256 elements</c>; <c>max 0.01241, mean 0.0002, cosine 0.999997</c>; <c>4096x4096 and 1024x4096</c>.</summary>
    public string Description => Result switch
    {
        _ when MaxAbsoluteDifference is not null => string.Create(
            CultureInfo.InvariantCulture,
            $"max {MaxAbsoluteDifference:G4}, mean {MeanAbsoluteDifference:G4}{(CosineSimilarity is null ? "" : ", cosine ")}{CosineSimilarity:0.######}"),
        ComparisonResult.Different => $"{DifferingElements} of {ReferenceTensor!.ElementCount} elements",
        ComparisonResult.OnlyInReference or ComparisonResult.OnlyInDifference when (ReferenceTensor ?? DifferenceTensor) is { } only =>
            $"{only.DType.GetTorchName()} {only.Shape}",
        ComparisonResult.ShapeDiffers => $"{ReferenceTensor!.Shape} and {DifferenceTensor!.Shape}",
        ComparisonResult.DTypeDiffers => $"{ReferenceTensor!.DType.GetTorchName()} and {DifferenceTensor!.DType.GetTorchName()}",
        _ => "",
    };

    /// <summary>The name and the result.</summary>
    public override string ToString() => $"{Name}: {Result}";
}
