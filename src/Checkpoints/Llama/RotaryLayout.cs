using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Llama;

/// <summary>
/// The two orders of the rows of query and key projections. Rotary encoding turns pairs of rows; fairseq2 and the reference format have the two of
/// a pair side by side, Hugging Face's format (permute in transformers' convert_llama_weights_to_hf.py) has all first ones of a head and
/// then all second ones.
/// </summary>
internal static class RotaryLayout
{
    /// <summary>Views of rows that are in Hugging Face's order, which follow each other in the other one.</summary>
    /// <param name="halves">The rows of whole heads, of a weight or a bias.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static IEnumerable<TensorView> Interleave(TensorSlice halves, long headDim)
    {
        RequireWholeHeads(halves, headDim);

        // Files of that format hold whole tensors.
        yield return ViewHeads(halves.Parts.Single().Tensor, headDim, new Step(headDim / 2, 1), new Step(2, headDim / 2));
    }

    /// <summary>Views of rows whose pairs lie side by side, which follow each other in Hugging Face's order.</summary>
    /// <param name="pairs">The rows of whole heads, of a weight or a bias, in any parts: data parallelism may have cut heads in two.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static IEnumerable<TensorView> SplitHalves(TensorSlice pairs, long headDim)
    {
        RequireWholeHeads(pairs, headDim);

        for (var row = 0L; row < pairs.Shape[0];)
        {
            var part = pairs.Parts.First(part => part.Row <= row && row < part.Row + part.Tensor.Shape[0]);
            var heads = (part.Row + part.Tensor.Shape[0] - row) / headDim;

            if (heads > 0)
            {
                yield return ViewHeads(part.Tensor.Narrow(0, row - part.Row, heads * headDim), headDim, new Step(2, 1), new Step(headDim / 2, 2));
                row += heads * headDim;
                continue;
            }

            var head = pairs.Narrow(0, row, headDim);

            foreach (var half in new[] { 0, 1 })
            {
                foreach (var piece in head.Parts.OrderBy(piece => piece.Row).Select(piece => EverySecond(piece, half)).OfType<TensorView>())
                {
                    yield return piece;
                }
            }

            row += headDim;
        }
    }

    /// <summary>Heads x two more axes x what a row has.</summary>
    private static TensorView ViewHeads(TensorView rows, long headDim, Step outer, Step inner)
    {
        var row = rows.Strides[0];
        ReadOnlySpan<long> shape = [rows.Shape[0] / headDim, outer.Count, inner.Count, .. rows.Shape.Sizes[1..]];
        ImmutableArray<long> strides = [headDim * row, outer.Rows * row, inner.Rows * row, .. rows.Strides.Skip(1)];

        return rows with { Shape = new TensorShape(shape), Strides = strides };
    }

    /// <summary>The first or the second of each pair, as far as a part has any.</summary>
    private static TensorView? EverySecond(TensorPart part, int half)
    {
        var first = (half + part.Row) % 2;
        var rows = part.Tensor.Shape[0];

        return first < rows
            ? part.Tensor.Narrow(0, first, rows - first) with
            {
                Shape = part.Tensor.Shape.With(0, (rows - first + 1) / 2),
                Strides = [2 * part.Tensor.Strides[0], .. part.Tensor.Strides.Skip(1)],
            }
            : null;
    }

    private static void RequireWholeHeads(TensorSlice rows, long headDim)
    {
        if (rows.Shape[0] % headDim != 0 || headDim % 2 != 0)
        {
            throw new ArgumentException($"{rows.Shape[0]} rows are no whole heads of {headDim}.", nameof(rows));
        }
    }

    /// <summary>An axis: how many, and rows from one to the next.</summary>
    private readonly record struct Step(long Count, long Rows);
}
