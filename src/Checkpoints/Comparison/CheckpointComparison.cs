using System.Collections.Immutable;
using Fairseq2Llama.Comparison;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>
/// Compares two checkpoints tensor by tensor, whatever their formats, element types and division into files: names are aligned through the
/// conventions, shards merged, and rotary pairs brought together.
/// </summary>
public sealed class CheckpointComparison : IDisposable
{
    private readonly LlamaCheckpoint _reference;
    private readonly LlamaCheckpoint _difference;
    private readonly double? _tolerance;
    private readonly TensorData _data;
    private readonly WindowReader _reader;
    private readonly long _total;
    private readonly IProgress<ByteProgress>? _progress;
    private TensorPair? _current;
    private long _done;

    /// <summary>Looks at the indexes only.</summary>
    /// <param name="reference">One checkpoint.</param>
    /// <param name="difference">The other.</param>
    /// <param name="tolerance">The distance of two numbers up to which they count as equal; null to compare bits.</param>
    /// <param name="progress">Told how far it is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">
    /// A checkpoint has the same parameter under the names of two formats, or there is no room for what has to be inflated.
    /// </exception>
    public CheckpointComparison(
        LlamaCheckpoint reference,
        LlamaCheckpoint difference,
        double? tolerance = null,
        IProgress<ByteProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        _reference = reference;
        _difference = difference;
        _tolerance = tolerance;
        _progress = progress;
        Pairs = TensorPairs.Of(reference, difference);
        _data = new TensorData([.. reference.Tensors, .. difference.Tensors], cancellationToken);
        _reader = new WindowReader(_data, Report);
        _total = Pairs.Where(pair => Judge(pair) is null).Sum(LengthOf);
    }

    /// <summary>The pairs to compare: the tensors of the reference in its order, then those that only the other has.</summary>
    public ImmutableArray<TensorPair> Pairs { get; }

    /// <summary>
    /// Whether distances are measured in the same pass in which bits decide. With a tolerance they always are. Without either, only tensors that differ
    /// are measured, in a second pass.
    /// </summary>
    public bool MeasuresDistances { get; init; }

    /// <summary>Compares one of the pairs.</summary>
    /// <exception cref="CheckpointException">One of its tensors can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TensorComparison Compare(TensorPair pair)
    {
        _current = pair;
        var comparison = new TensorComparison
        {
            Name = pair.Name,
            Reference = _reference.Name,
            Difference = _difference.Name,
            ReferenceTensor = pair.Reference,
            DifferenceTensor = pair.Difference,
        };

        return Judge(pair) is { } result ? comparison with { Result = result }
            : _tolerance is { } tolerance ? CompareNumbers(comparison, tolerance, pair.Reference!, pair.Difference!)
            : MeasuresDistances ? CompareBitsAndMeasure(comparison, _reader, pair.Reference!, pair.Difference!)
            : CompareBits(comparison, pair.Reference!, pair.Difference!);
    }

    /// <summary>Summarizes the results. If distances were measured, the summary has them.</summary>
    /// <param name="tensors">The results for the pairs. Missing pairs count as not compared.</param>
    public CheckpointComparisonSummary Summarize(IEnumerable<TensorComparison> tensors) =>
        new(_reference, _difference, _tolerance, Pairs.Length, tensors);

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();

    /// <summary>The result that the descriptions alone give; null if data must be compared.</summary>
    private ComparisonResult? Judge(TensorPair pair) => pair switch
    {
        { Difference: null } => ComparisonResult.OnlyInReference,
        { Reference: null } => ComparisonResult.OnlyInDifference,
        { Reference: var reference, Difference: var difference } when !reference.Shape.Equals(difference.Shape) => ComparisonResult.ShapeDiffers,
        { Reference: var reference, Difference: var difference } when !AreComparable(reference.DType, difference.DType) => ComparisonResult.DTypeDiffers,
        _ => null,
    };

    private bool AreComparable(DType reference, DType difference) =>
        reference == difference || (_tolerance is not null && DTypeInfo.Of(reference).IsComplex == DTypeInfo.Of(difference).IsComplex);

    private TensorComparison CompareBits(TensorComparison comparison, CheckpointTensor reference, CheckpointTensor difference)
    {
        var itemSize = reference.NumberDType.GetItemSize();
        var differing = _reader.Map(reference, difference, (left, right) => CountDiffering(left, right, itemSize)).Sum();

        // Most comparisons are of what should be equal, which bits tell fastest. Whoever sorts by distance what is not wants numbers and no nulls.
        return differing > 0
            ? CompareBitsAndMeasure(comparison, new WindowReader(_data, _ => { }), reference, difference)
            : comparison with { Result = ComparisonResult.Equal, DifferingElements = 0 };
    }

    private static TensorComparison CompareBitsAndMeasure(TensorComparison comparison, WindowReader reader, CheckpointTensor reference, CheckpointTensor difference)
    {
        var (dtype, itemSize) = (reference.NumberDType, reference.NumberDType.GetItemSize());
        var windows = reader.Map(reference, difference, (left, right) =>
            (Differing: CountDiffering(left, right, itemSize), Sums: ThirdParty.TensorMath.Compare(dtype, left, dtype, right)));
        var differing = windows.Sum(window => window.Differing);

        return WithDistances(comparison, Merge(windows.Select(window => window.Sums))) with
        {
            Result = ResultOf(differing == 0),
            DifferingElements = differing,
        };
    }

    private TensorComparison CompareNumbers(TensorComparison comparison, double tolerance, CheckpointTensor reference, CheckpointTensor difference)
    {
        var total = Merge(_reader.Map(
            reference, difference, (left, right) => ThirdParty.TensorMath.Compare(reference.NumberDType, left, difference.NumberDType, right)));

        return WithDistances(comparison, total) with { Result = ResultOf(total.Max <= tolerance), DifferingElements = total.Differing };
    }

    private static ComparisonResult ResultOf(bool isEqual) => isEqual ? ComparisonResult.Equal : ComparisonResult.Different;

    private static DifferenceSums Merge(IEnumerable<DifferenceSums> windows) =>
        windows.Aggregate(DifferenceSums.None, (sum, window) => sum.Merge(window));

    private static TensorComparison WithDistances(TensorComparison comparison, DifferenceSums total)
    {
        var (referenceNorm, differenceNorm) = (Math.Sqrt(total.ReferenceSquares), Math.Sqrt(total.DifferenceSquares));
        var cosine = total.Dot / (referenceNorm * differenceNorm);

        return comparison with
        {
            MaxAbsoluteDifference = total.Max,
            MeanAbsoluteDifference = total.Count == 0 ? 0 : total.Sum / total.Count,
            NormOfDifference = Math.Sqrt(total.Squares),
            ReferenceNorm = referenceNorm,
            CosineSimilarity = double.IsFinite(cosine) ? cosine : null,
        };
    }

    private static long CountDiffering(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int itemSize)
    {
        var count = 0L;

        for (var at = left.CommonPrefixLength(right) / itemSize * itemSize; at < left.Length;)
        {
            count++;
            at += itemSize;
            at += left[at..].CommonPrefixLength(right[at..]) / itemSize * itemSize;
        }

        return count;
    }

    private static long LengthOf(TensorPair pair) => pair.Reference!.SizeInBytes + pair.Difference!.SizeInBytes;

    private void Report(long count)
    {
        _done += count;
        _progress?.Report(new ByteProgress(_current!.Name, _done, _total));
    }
}
