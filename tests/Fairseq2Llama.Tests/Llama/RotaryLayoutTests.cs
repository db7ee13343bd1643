using CsCheck;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Llama;

/// <summary>Both orders of rotary rows beside a permutation that is written down row by row.</summary>
public class RotaryLayoutTests
{
    private static readonly Gen<Case> Cases = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[0, 4], Gen.Bool, Gen.Int)
        .Select((heads, pairs, width, cuts, isBias, seed) => new Case(heads, 2 * pairs, isBias ? null : width, cuts, new Random(seed)));

    [Fact]
    public void Pairs_are_set_apart_wherever_the_rows_are_cut() => Cases.Sample(
        pairs => Read(RotaryLayout.SplitHalves(pairs.Slice, pairs.HeadDim))
            .SequenceEqual(pairs.Rows(place => (2 * (place % pairs.Half)) + (place / pairs.Half))),
        iter: 3000);

    [Fact]
    public void Halves_are_brought_together() => Cases.Sample(
        halves => Read(RotaryLayout.Interleave(halves.Whole, halves.HeadDim))
            .SequenceEqual(halves.Rows(place => (place / 2) + (halves.Half * (place % 2)))),
        iter: 1000);

    private static byte[] Read(IEnumerable<TensorView> views) => [.. views.SelectMany(TensorBytes.Of)];

    /// <summary>Rows of heads, cut anywhere, some of the parts with their elements column by column.</summary>
    private sealed class Case
    {
        private readonly NaiveView _rows;
        private readonly string _cuts;

        public Case(int heads, int headDim, int? width, int cuts, Random random)
        {
            var bytes = new byte[heads * headDim * (width ?? 1) * sizeof(short)];
            random.NextBytes(bytes);
            long[] sizes = width is null ? [heads * headDim] : [heads * headDim, width.Value];
            _rows = NaiveView.Contiguous(bytes, DType.BFloat16, sizes);
            HeadDim = headDim;

            long[] ends = [0, .. Enumerable.Range(0, cuts).Select(_ => random.NextInt64(sizes[0] + 1)).Order(), sizes[0]];
            _cuts = string.Join(", ", ends);
            Slice = new TensorSlice([.. ends.Zip(ends.Skip(1), (start, end) => PartOf(start, end, random))], new TensorShape(sizes));
            Whole = new TensorSlice([PartOf(0, sizes[0], random)], new TensorShape(sizes));
        }

        public long HeadDim { get; }

        public long Half => HeadDim / 2;

        public TensorSlice Slice { get; }

        public TensorSlice Whole { get; }

        /// <param name="source">For a place in a head, which row comes there.</param>
        public byte[] Rows(Func<long, long> source) =>
        [
            .. from row in Enumerable.Range(0, (int)_rows.Sizes[0])
               let taken = (row / HeadDim * HeadDim) + source(row % HeadDim)
               from number in _rows.Slice(0, taken, taken + 1).Read()
               select number,
        ];

        public override string ToString() => $"{_rows} in heads of {HeadDim} rows, cut at {_cuts}";

        private TensorPart PartOf(long start, long end, Random random)
        {
            var part = _rows.Slice(0, start, end);
            int[] order = random.Next(2) == 0 ? [.. Enumerable.Range(0, part.Sizes.Length)] : [.. Enumerable.Range(0, part.Sizes.Length).Reverse()];
            var stored = part.Permute(order);
            var copy = NaiveView.Contiguous(stored.Read(), part.DType, stored.Sizes);

            return new TensorPart(copy.Permute(order).On(new MemorySource(copy.Storage), 0), start);
        }
    }
}
