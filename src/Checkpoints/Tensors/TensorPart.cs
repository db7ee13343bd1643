namespace Fairseq2Llama.Tensors;

/// <summary>A tensor that is a part of a larger one.</summary>
/// <param name="Tensor">The part.</param>
/// <param name="Row">Where it begins along dim 0 of the whole.</param>
/// <param name="Column">Where it begins along dim 1 of the whole.</param>
internal readonly record struct TensorPart(TensorView Tensor, long Row = 0, long Column = 0)
{
    /// <summary>The same part of a whole in which it lies further along a dim.</summary>
    public TensorPart MovedBy(int dim, long distance) => dim == 0 ? this with { Row = Row + distance } : this with { Column = Column + distance };

    /// <summary>The part of it in a range of the whole along a dim, relative to that range; null if there is none.</summary>
    public TensorPart? Within(int dim, long start, long length)
    {
        var place = dim == 0 ? Row : Column;
        var from = Math.Max(start, place);
        var to = Math.Min(start + length, place + Tensor.Shape[dim]);

        if (from >= to)
        {
            return null;
        }

        var tensor = Tensor.Narrow(dim, from - place, to - from);
        return dim == 0 ? new TensorPart(tensor, from - start, Column) : new TensorPart(tensor, Row, from - start);
    }
}
