using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Llama;

/// <summary>
/// The two orders of the rows of query and key projections. Rotary encoding turns pairs of rows; fairseq2 and the reference format have the two of
/// a pair side by side, Hugging Face's format (permute in transformers' convert_llama_weights_to_hf.py) has all first ones of a head and
/// then all second ones.
/// </summary>
internal static class RotaryPairs
{
    /// <summary>A view of rows that are in Hugging Face's order in the other one: heads x pairs x 2, and what a row has.</summary>
    /// <param name="halves">The rows of whole heads, of a weight or a bias.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static TorchTensor BringTogether(TorchTensor halves, long headDim)
    {
        if (halves.Shape[0] % headDim != 0 || headDim % 2 != 0)
        {
            throw new ArgumentException($"{halves.Shape[0]} rows are no whole heads of {headDim}.", nameof(halves));
        }

        var row = halves.Strides[0];
        ReadOnlySpan<long> shape = [halves.Shape[0] / headDim, headDim / 2, 2, .. halves.Shape.Sizes[1..]];
        ImmutableArray<long> strides = [headDim * row, row, headDim / 2 * row, .. halves.Strides.Skip(1)];

        return new TorchTensor(halves.Storage, halves.DType, halves.StorageOffset, new TensorShape(shape), strides);
    }
}
