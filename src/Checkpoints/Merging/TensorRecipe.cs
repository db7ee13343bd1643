using System.Collections.Immutable;
using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Merging;

/// <summary>How a tensor is computed from others. Nothing is computed before somebody reads it, and then only what is read.</summary>
/// <param name="dtype">Its element type.</param>
/// <param name="shape">Its shape.</param>
/// <param name="halfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>.</param>
internal abstract class TensorRecipe(DType dtype, TensorShape shape, int? halfSplitHeadDim)
{
    public DType DType => dtype;

    public TensorShape Shape => shape;

    /// <summary>As <see cref="CheckpointTensor.HalfSplitHeadDim"/>.</summary>
    public int? HalfSplitHeadDim => halfSplitHeadDim;

    /// <summary>Bytes of it.</summary>
    public long Length => shape.ElementCount * dtype.GetItemSize();

    /// <summary>The tensors that it is made of.</summary>
    public abstract ImmutableArray<CheckpointTensor> Inputs { get; }

    /// <summary>How many rows belong together: those of whole heads, where an input has the rows of a head in another order.</summary>
    public virtual int RowsAtLeast => 1;

    /// <summary>Whether any piece of it can be computed by itself. Otherwise, windows are computed that are always the same, so that the numbers are, too, however it is read.</summary>
    public virtual bool IsElementwise => false;

    /// <summary>Rows of a head if one of the tensors has them in another order; otherwise 1.</summary>
    protected int RowsOfHeads(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Where(tensor => tensor.HalfSplitHeadDim != HalfSplitHeadDim).Select(tensor => tensor.HalfSplitHeadDim ?? HalfSplitHeadDim!.Value).DefaultIfEmpty(1).Max();

    /// <summary>Computes a window of it.</summary>
    /// <param name="window">Which.</param>
    /// <param name="target">Room for its elements, little-endian, in row-major order.</param>
    /// <param name="inputs">Reads inputs.</param>
    public abstract void Compute(TensorWindow window, Span<byte> target, RecipeInputs inputs);
}
