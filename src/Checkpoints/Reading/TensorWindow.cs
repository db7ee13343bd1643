using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Reading;

/// <summary>A piece of a tensor: some rows, and of these some columns.</summary>
internal readonly record struct TensorWindow(long Row, long Rows, long Column, long Columns)
{
    /// <param name="tensor">The tensor.</param>
    /// <param name="halfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>, for the order of rows that it shall have.</param>
    public PlannedStorage Of(CheckpointTensor tensor, int? halfSplitHeadDim = null)
    {
        var slice = new TensorSlice(tensor.Copies[0], tensor.Shape);
        slice = tensor.Shape.Count > 0 ? slice.Narrow(0, Row, Rows) : slice;
        slice = tensor.Shape.Count > 1 ? slice.Narrow(1, Column, Columns) : slice;
        return tensor.ToStorage(slice, halfSplitHeadDim, tensor.NumberDType);
    }
}
