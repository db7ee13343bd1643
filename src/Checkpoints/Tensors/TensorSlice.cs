using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Merging and splitting: a tensor, or what lies in a range of it along a dim, made of parts that tile it. Equal slices are the same
/// elements of the same storages under the same shape.
/// </summary>
internal sealed class TensorSlice : IEquatable<TensorSlice>
{
    /// <summary>Tensors of a LLaMA take some hundred. A file could ask for one for each of its bytes.</summary>
    private const int MaxBands = 1 << 20;

    /// <param name="parts">They tile it.</param>
    /// <param name="shape">Its shape.</param>
    public TensorSlice(ImmutableArray<TensorPart> parts, TensorShape shape)
    {
        Parts = parts;
        Shape = shape;
    }

    public TensorShape Shape { get; }

    /// <summary>They tile it.</summary>
    public ImmutableArray<TensorPart> Parts { get; }

    /// <summary>The slice in a range along a dim.</summary>
    public TensorSlice Narrow(int dim, long start, long length) => new(
        [.. Parts.Select(part => part.Within(dim, start, length)).OfType<TensorPart>()], Shape.With(dim, length));

    /// <summary>Its elements in row-major order, as byte runs.</summary>
    /// <param name="dtype">Their type.</param>
    /// <param name="castTo">The type that they are to have, if another.</param>
    public PlannedStorage ToStorage(DType dtype, DType? castTo = null) => new(castTo ?? dtype, ToBands(), dtype);

    public bool Equals(TensorSlice? other) => other is not null && Shape.Equals(other.Shape) && Parts.AsSpan().SequenceEqual(other.Parts.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as TensorSlice);

    // A model has thousands of tensors of one shape. Only their positions distinguish them.
    public override int GetHashCode() => Parts.Aggregate(Shape.GetHashCode(), HashCode.Combine);

    private ImmutableArray<RowBlock> ToBands()
    {
        if (Parts is [var only])
        {
            return [RowBlock.Of(ByteRuns.Of(only.Tensor))];
        }

        var bands = ImmutableArray.CreateBuilder<RowBlock>();
        AddTo(bands);
        return bands.DrainToImmutable();
    }

    private void AddTo(ImmutableArray<RowBlock>.Builder bands)
    {
        var filled = Parts.Where(part => part.Tensor.Shape.ElementCount > 0).ToArray();

        if (filled is [var only])
        {
            bands.Add(RowBlock.Of(ByteRuns.Of(only.Tensor)));
            return;
        }

        var cuts = filled.SelectMany(part => new[] { part.Row, part.Row + part.Tensor.Shape[0] }).Distinct().Order().ToArray();
        var pending = new Queue<TensorPart>(filled.OrderBy(part => part.Row));
        var current = new List<TensorPart>();

        // From cut to cut, with only those parts in hand that have rows there: of a thousand files most have none.
        foreach (var (from, to) in cuts.Zip(cuts.Skip(1)))
        {
            current.RemoveAll(part => part.Row + part.Tensor.Shape[0] <= from);

            while (pending.TryPeek(out var next) && next.Row <= from)
            {
                current.Add(pending.Dequeue());
            }

            AddBand([.. current.Select(part => part.Within(0, from, to - from)).OfType<TensorPart>()], to - from, bands);
        }
    }

    /// <summary>Adds rows between two cuts, so that each part has all of them.</summary>
    private void AddBand(ImmutableArray<TensorPart> parts, long count, ImmutableArray<RowBlock>.Builder bands)
    {
        if (parts is [var only])
        {
            bands.Add(RowBlock.Of(ByteRuns.Of(only.Tensor)));
            return;
        }

        if (parts.All(IsOneStretchOfEachRow))
        {
            var columns = parts.Sort((left, right) => left.Offsets.AsSpan().SequenceCompareTo(right.Offsets.AsSpan()));

            // The columns of one row simply follow each other.
            bands.AddRange(count == 1
                ? columns.Select(column => RowBlock.Of(ByteRuns.Of(column.Tensor)))
                : [new RowBlock(count, [.. columns.Select(column => ByteRuns.OfRows(column.Tensor))])]);
            return;
        }

        if (count > MaxBands - bands.Count)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"A tensor that '{parts[0].Tensor.Storage.Source.Name}' has a part of is divided so that more than {MaxBands} slices of it would have to be put"
                    + " together one by one. Save it in parts that are cut along its first two dims only.",
                parts[0].Tensor.Storage.Source.Name);
        }

        var rowShape = new TensorShape(Shape.Sizes.AsSpan()[1..]);

        for (var row = 0L; row < count; row++)
        {
            new TensorSlice([.. parts.Select(part => part.AtRow(row))], rowShape).AddTo(bands);
        }
    }

    /// <summary>Whether what a part has of a row follows each other there: all of the inner dims, a range along one, and one place along those outside of it.</summary>
    private bool IsOneStretchOfEachRow(TensorPart part)
    {
        var dim = Shape.Count - 1;

        while (dim > 0 && part.Tensor.Shape[dim] == Shape[dim])
        {
            dim--;
        }

        return dim == 0 || part.Tensor.Shape.Sizes[1..dim].All(size => size == 1);
    }
}
