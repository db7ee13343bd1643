using System.Diagnostics;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Llama;

/// <summary>
/// The two orders of the rows of query and key projections. Rotary encoding turns pairs of rows; fairseq2 and the reference format have the two of
/// a pair side by side, Hugging Face's format (permute in transformers' convert_llama_weights_to_hf.py) has all first ones of a head and
/// then all second ones.
/// </summary>
internal static class RotaryPairs
{
    /// <summary>A view of rows that are in Hugging Face's order in the other one: heads x pairs x 2 x columns.</summary>
    /// <param name="halves">Whole heads.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static TorchTensor BringTogether(TorchTensor halves, long headDim)
    {
        Debug.Assert(halves.Shape.Count == 2 && halves.Shape[0] % headDim == 0 && headDim % 2 == 0, "a head is torn");

        var (row, column) = (halves.Strides[0], halves.Strides[1]);

        return new TorchTensor(
            halves.Storage,
            halves.DType,
            halves.StorageOffset,
            new TensorShape(halves.Shape[0] / headDim, headDim / 2, 2, halves.Shape[1]),
            [headDim * row, row, headDim / 2 * row, column]);
    }
}
