using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Bytes of one storage in the order in which they are wanted: runs of equal length, repeated along axes. A contiguous
/// tensor is one run without axes; a slice of columns is one run per row; a transposed matrix is one run per element.
/// A conversion is made of nothing else.
/// </summary>
/// <param name="Storage">Where the bytes are.</param>
/// <param name="Offset">The first byte's place in the storage.</param>
/// <param name="RunLength">Bytes of one run.</param>
/// <param name="Axes">How runs are repeated, outermost first.</param>
internal sealed record ByteRuns(StoredBytes Storage, long Offset, long RunLength, ImmutableArray<RunAxis> Axes)
{
    /// <summary>All bytes of all runs.</summary>
    public long Length => Axes.Aggregate(RunLength, (length, axis) => checked(length * axis.Count));

    /// <summary>From its first byte to its last one, within the storage.</summary>
    public (long Offset, long Length) Extent => Length == 0 ? (Offset, 0) : (Offset, RunLength + Axes.Sum(axis => (axis.Count - 1) * axis.Step));

    public bool IsWholeStorage => Axes.IsEmpty && Offset == 0 && RunLength == Storage.Length;

    /// <summary>As <see cref="Of"/>, but with the rows, of which there are several, as the outermost axis even where they lie one after the other.</summary>
    public static ByteRuns OfRows(TensorView tensor)
    {
        var row = Of(tensor.Narrow(0, 0, 1));
        return row with { Axes = row.Axes.Insert(0, new RunAxis(tensor.Shape[0], DTypeInfo.Of(tensor.DType).LengthOf(tensor.Strides[0]))) };
    }

    /// <summary>The bytes of a tensor in row-major order, whatever its strides.</summary>
    public static ByteRuns Of(TensorView tensor)
    {
        tensor = tensor.InBlocks();
        var blockSize = DTypeInfo.Of(tensor.DType).BytesPerBlock;
        var runLength = tensor.Shape.ElementCount == 0 ? 0L : blockSize;
        var axes = new Stack<RunAxis>();

        for (var dim = tensor.Shape.Count - 1; dim >= 0 && runLength > 0; dim--)
        {
            var count = tensor.Shape[dim];
            var step = tensor.Strides[dim] * blockSize;

            if (count == 1)
            {
                continue;
            }

            if (axes.Count == 0 && step == runLength)
            {
                runLength *= count;
            }
            else if (axes.TryPeek(out var inner) && step == inner.Count * inner.Step)
            {
                axes.Pop();
                axes.Push(inner with { Count = inner.Count * count });
            }
            else
            {
                axes.Push(new RunAxis(count, step));
            }
        }

        return new ByteRuns(tensor.Storage, tensor.StorageOffset * blockSize, runLength, [.. axes]);
    }
}

/// <summary>One repetition of runs.</summary>
/// <param name="Count">How often.</param>
/// <param name="Step">Bytes from one to the next in the storage; 0 where the same bytes are wanted again.</param>
internal readonly record struct RunAxis(long Count, long Step);
