using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Comparison;

namespace Fairseq2Llama;

/// <summary>
/// How two checkpoints compare: how many tensors are equal and how many are not, how far they are from each other, and which layers moved.
/// <see cref="CheckpointComparison.Summarize"/> makes it.
/// </summary>
public sealed class CheckpointComparisonSummary
{
    internal CheckpointComparisonSummary(
        LlamaCheckpoint reference, LlamaCheckpoint difference, double? tolerance, int pairCount, IEnumerable<TensorComparison> tensors)
    {
        ReferenceCheckpoint = reference;
        DifferenceCheckpoint = difference;
        Tolerance = tolerance;
        Tensors = [.. tensors];
        NotCompared = pairCount - Tensors.Length;
        Layers = LayerComparisons.Of(Tensors, reference.Name, difference.Name);

        var farthest = Tensors.Where(tensor => tensor.MaxAbsoluteDifference is not null).MaxBy(tensor => tensor.MaxAbsoluteDifference);
        MaxAbsoluteDifference = farthest?.MaxAbsoluteDifference;
        MaxAbsoluteDifferenceTensor = MaxAbsoluteDifference > 0 ? farthest!.Name : null;

        var counted = LayerComparisons.WithoutTiedOutput(Tensors);
        NormOfDifference = Norms.Together(counted.Select(tensor => tensor.NormOfDifference));
        ReferenceNorm = Norms.Together(counted.Select(tensor => tensor.ReferenceNorm));
    }

    /// <summary>The name of the one checkpoint.</summary>
    public string Reference => ReferenceCheckpoint.Name;

    /// <summary>The name of the other checkpoint.</summary>
    public string Difference => DifferenceCheckpoint.Name;

    /// <summary>Whether every tensor of either checkpoint is in both and equal.</summary>
    public bool AreEqual => NotCompared == 0 && Equal == Tensors.Length;

    /// <summary>How many tensors are equal: bit for bit, or within the tolerance where one was given.</summary>
    public int Equal => Count(ComparisonResult.Equal);

    /// <summary>How many tensors are different.</summary>
    public int Different => Count(ComparisonResult.Different);

    /// <summary>How many tensors only the reference has.</summary>
    public int OnlyInReference => Count(ComparisonResult.OnlyInReference);

    /// <summary>How many tensors only the difference has.</summary>
    public int OnlyInDifference => Count(ComparisonResult.OnlyInDifference);

    /// <summary>How many tensors have another shape, so that their elements were not compared.</summary>
    public int ShapeDiffers => Count(ComparisonResult.ShapeDiffers);

    /// <summary>How many tensors have another element type, so that their elements were not compared.</summary>
    public int DTypeDiffers => Count(ComparisonResult.DTypeDiffers);

    /// <summary>How many tensors are missing here, because they could not be read.</summary>
    public int NotCompared { get; }

    /// <summary>The greatest distance of two numbers; null where no numbers were compared. Infinite where only one of two is finite.</summary>
    public double? MaxAbsoluteDifference { get; }

    /// <summary>The tensor that has the greatest distance; null where no numbers differ.</summary>
    public string? MaxAbsoluteDifferenceTensor { get; }

    /// <summary>
    /// The L2 norm of the difference of all numbers that were compared; null where none were. Infinite where only one of two is finite. An output
    /// projection that is tied to the embedding in both checkpoints counts once.
    /// </summary>
    public double? NormOfDifference { get; }

    /// <summary>The L2 norm of the reference's numbers that were compared; null where none were. NaN or infinite where it holds such a number.</summary>
    public double? ReferenceNorm { get; }

    /// <summary>
    /// <see cref="NormOfDifference"/> divided by <see cref="ReferenceNorm"/>: how far the model moved. 0 where no number differs; null where no
    /// numbers were compared, and where the quotient is not finite.
    /// </summary>
    public double? RelativeNorm => Norms.Relative(NormOfDifference, ReferenceNorm);

    /// <summary>The distance of two numbers up to which they count as equal; null where bits were compared.</summary>
    public double? Tolerance { get; }

    /// <summary>Layer by layer, in the order of the model: the embedding, the layers, the final norm, the output projection, and what is in no LLaMA.</summary>
    public ImmutableArray<LayerComparison> Layers { get; }

    /// <summary>Tensor by tensor: those of the reference in its order, then what only the difference has.</summary>
    public ImmutableArray<TensorComparison> Tensors { get; }

    /// <summary>The one checkpoint.</summary>
    public LlamaCheckpoint ReferenceCheckpoint { get; }

    /// <summary>The other checkpoint.</summary>
    public LlamaCheckpoint DifferenceCheckpoint { get; }

    /// <summary>How many tensors either checkpoint has.</summary>
    internal int TensorCount => Tensors.Length + NotCompared;

    /// <summary>The answer in a sentence: <c>7b and sft: 45 of 47 tensors are not equal (44 different, 1 only in 7b)</c>.</summary>
    public override string ToString() => $"{Reference} and {Difference}: {Verdict}";

    /// <summary>The answer without the names: <c>44 of 47 tensors are different</c>; <c>all 47 tensors are equal, bit for bit</c>.</summary>
    internal string Verdict => (AreEqual, Causes) switch
    {
        (true, _) => Invariant($"all {TensorCount} tensors are equal, {Manner}"),
        (_, [var (count, what)]) => Invariant($"{count} of {TensorCount} tensors {(count == 1 ? "is" : "are")} {what}"),
        _ => Invariant($"{TensorCount - Equal} of {TensorCount} tensors {(TensorCount - Equal == 1 ? "is" : "are")} not equal ({Reasons})"),
    };

    /// <summary>How they were compared: <c>bit for bit</c>, <c>number for number</c>, <c>within 0.001</c>.</summary>
    internal string Manner => Tolerance switch { null => "bit for bit", 0 => "number for number", { } tolerance => Invariant($"within {tolerance}") };

    /// <summary>Why tensors are not equal: <c>44 different, 1 only in 7b</c>.</summary>
    internal string Reasons => string.Join(", ", Causes.Select(cause => Invariant($"{cause.Count} {cause.What}")));

    /// <summary>The reasons why tensors are not equal, and their counts.</summary>
    private (int Count, string What)[] Causes
    {
        get
        {
            // The names of both may be the same: runs/7b and hf/7b.
            var (first, second) = Reference == Difference ? ("the first", "the second") : (Reference, Difference);

            (int Count, string What)[] causes =
            [
                (Different, "different"),
                (ShapeDiffers, "different in shape"),
                (DTypeDiffers, "different in type"),
                (OnlyInReference, $"only in {first}"),
                (OnlyInDifference, $"only in {second}"),
                (NotCompared, "not readable"),
            ];

            return [.. causes.Where(cause => cause.Count > 0)];
        }
    }

    private int Count(ComparisonResult result) => Tensors.Count(tensor => tensor.Result == result);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
