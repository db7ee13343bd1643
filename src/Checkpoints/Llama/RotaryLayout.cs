using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Llama;

/// <summary>
/// The two orders of the rows of query and key projections. Rotary encoding turns pairs of rows; fairseq2 and the reference format have the two of
/// a pair side by side, Hugging Face's format (permute in transformers' convert_llama_weights_to_hf.py) has all first ones of a head and
/// then all second ones.
/// </summary>
internal static class RotaryLayout
{
    /// <summary>Rows that are in Hugging Face's order, in the other one: heads x pairs x the two of a pair x what a row has.</summary>
    /// <param name="halves">The rows of whole heads, of a weight or a bias, in any parts.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static TensorSlice Interleave(TensorSlice halves, long headDim) =>
        Reorder(halves, headDim, pairs: new Axis(1, headDim / 2, 1), members: new Axis(2, 2, headDim / 2));

    /// <summary>Rows whose pairs lie side by side, in Hugging Face's order: heads x the two of a pair x pairs x what a row has.</summary>
    /// <param name="pairs">The rows of whole heads, of a weight or a bias, in any parts: data parallelism may have cut heads in two.</param>
    /// <param name="headDim">Rows of a head.</param>
    public static TensorSlice SplitHalves(TensorSlice pairs, long headDim) =>
        Reorder(pairs, headDim, pairs: new Axis(2, headDim / 2, 2), members: new Axis(1, 2, 1));

    private static TensorSlice Reorder(TensorSlice rows, long headDim, Axis pairs, Axis members)
    {
        if (rows.Shape[0] % headDim != 0 || headDim % 2 != 0)
        {
            throw new ArgumentException($"{rows.Shape[0]} rows are no whole heads of {headDim}.", nameof(rows));
        }

        var shape = new TensorShape([rows.Shape[0] / headDim, .. pairs.Beside(members, pairs.Count, members.Count), .. rows.Shape.Sizes.AsSpan()[1..]]);
        return new TensorSlice([.. rows.Parts.SelectMany(part => BoxesOf(part, rows.Shape, headDim, pairs, members))], shape);
    }

    /// <summary>A part in the new order: all of its whole heads, and what it has of one that is cut before them and of one after them.</summary>
    private static IEnumerable<TensorPart> BoxesOf(TensorPart part, TensorShape whole, long headDim, Axis pairs, Axis members)
    {
        if (part.Tensor.Shape.ElementCount == 0)
        {
            yield break;
        }

        var hasWholeRows = part.Tensor.Shape.Sizes.AsSpan()[1..].SequenceEqual(whole.Sizes.AsSpan()[1..]);
        var end = part.Row + part.Tensor.Shape[0];

        for (var row = part.Row; row < end;)
        {
            var (head, start) = Math.DivRem(row, headDim);
            var heads = start == 0 ? Math.Max(1, (end - row) / headDim) : 1;
            var stop = Math.Min(end - (head * headDim), heads * headDim);

            if (hasWholeRows && stop - start == heads * headDim)
            {
                yield return BoxOf(head, heads, (0, pairs.Count), (0, members.Count));
            }
            else
            {
                // Apart, the first and the second rows of pairs can be columns of a band.
                foreach (var member in new[] { 0, 1 })
                {
                    var from = PairsBefore(start, member);
                    var count = PairsBefore(Math.Min(stop, headDim), member) - from;

                    if (count > 0)
                    {
                        yield return BoxOf(head, heads, (from, count), (member, 1));
                    }
                }
            }

            row = (head * headDim) + stop;
        }

        // Of the first rows of pairs or of the second ones.
        long PairsBefore(long place, long member) => Math.Clamp((place - (member * members.Rows) + pairs.Rows - 1) / pairs.Rows, 0, pairs.Count);

        TensorPart BoxOf(long head, long heads, (long Start, long Count) pair, (long Start, long Count) member)
        {
            var tensor = part.Tensor;
            var row = tensor.Strides[0];
            var first = (head * headDim) + (pair.Start * pairs.Rows) + (member.Start * members.Rows) - part.Row;
            var box = new TensorView(
                tensor.Storage,
                tensor.DType,
                tensor.StorageOffset + (first * row),
                new TensorShape([heads, .. pairs.Beside(members, pair.Count, member.Count), .. tensor.Shape.Sizes.AsSpan()[1..]]),
                [headDim * row, .. pairs.Beside(members, pairs.Rows * row, members.Rows * row), .. tensor.Strides.Skip(1)]);

            return new TensorPart(
                box, [head, .. pairs.Beside(members, pair.Start, member.Start), .. part.Offsets.AsSpan()[Math.Min(1, part.Offsets.Length)..]]);
        }
    }

    /// <summary>One of the two axes that the rows of a head have in the new order.</summary>
    /// <param name="Dim">Its place there.</param>
    /// <param name="Count">How long it is.</param>
    /// <param name="Rows">Rows from one to the next in the old order.</param>
    private readonly record struct Axis(int Dim, long Count, long Rows)
    {
        /// <summary>A number for this axis and one for the other, in their order.</summary>
        public long[] Beside(Axis other, long own, long others) => Dim < other.Dim ? [own, others] : [others, own];
    }
}
