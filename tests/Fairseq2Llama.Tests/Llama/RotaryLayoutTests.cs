using CsCheck;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Llama;

/// <summary>Both orders of rotary rows beside a permutation that is written down row by row.</summary>
public class RotaryLayoutTests
{
    private static readonly Gen<Case> Cases = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 6], Gen.Long[0, 4].Array[0, 2], Gen.Int[0, 8], Gen.Int)
        .Select((heads, pairs, row, cuts, seed) => new Case(heads, 2 * pairs, row, cuts, new Random(seed)));

    [Fact]
    public void Pairs_are_set_apart_wherever_the_tensor_is_cut() => Cases.Sample(
        pairs => Read(RotaryLayout.SplitHalves(pairs.Slice, pairs.HeadDim))
            .SequenceEqual(pairs.Rows(place => (2 * (place % pairs.Half)) + (place / pairs.Half))),
        iter: 5000);

    [Fact]
    public void Halves_are_brought_together_wherever_the_tensor_is_cut() => Cases.Sample(
        halves => Read(RotaryLayout.Interleave(halves.Slice, halves.HeadDim))
            .SequenceEqual(halves.Rows(place => (place / 2) + (halves.Half * (place % 2)))),
        iter: 5000);

    [Fact]
    public void Heads_in_one_part_are_one_run_however_many()
    {
        var slice = Cut(64, 128, [64 * 128], [16]);

        Assert.Single(Assert.Single(RotaryLayout.SplitHalves(slice, 128).ToStorage(DType.UInt8).Bands).Columns);
        Assert.Single(Assert.Single(RotaryLayout.Interleave(slice, 128).ToStorage(DType.UInt8).Bands).Columns);
    }

    [Fact]
    public void Whole_heads_in_several_files_are_one_run_for_each()
    {
        var slice = Cut(64, 128, [16 * 128, 48 * 128], [16]);

        Assert.Equal(2, RotaryLayout.SplitHalves(slice, 128).ToStorage(DType.UInt8).Bands.Length);
        Assert.Equal(2, RotaryLayout.Interleave(slice, 128).ToStorage(DType.UInt8).Bands.Length);
    }

    /// <summary>The rows of a head are never taken one by one.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(64)]
    public void A_head_takes_few_bands_however_many_rows_it_has(int half)
    {
        var slice = Cut(8, 2 * half, [8 * 2 * half], [8, 8]);

        Assert.Equal(16, RotaryLayout.SplitHalves(slice, 2 * half).ToStorage(DType.UInt8).Bands.Length);
        Assert.Equal(8, RotaryLayout.Interleave(slice, 2 * half).ToStorage(DType.UInt8).Bands.Length);
    }

    /// <summary>The first half of a head in one file, the second half in another.</summary>
    [Fact]
    public void Halves_in_different_files_are_columns_of_one_band()
    {
        var band = Assert.Single(RotaryLayout.Interleave(Cut(1, 128, [64, 64], [16]), 128).ToStorage(DType.UInt8).Bands);

        Assert.Equal((64, 2), (band.Rows, band.Columns.Length));
    }

    /// <summary>Each file is read once for the first rows of pairs and once for the second ones, and not row by row.</summary>
    [Fact]
    public void Pieces_of_a_head_are_read_at_once()
    {
        var slice = Cut(1, 128, [32, 96], [64]);

        TensorBytes.Of(RotaryLayout.SplitHalves(slice, 128).ToStorage(DType.UInt8));

        Assert.All(slice.Parts, part => Assert.Equal(2, ((MemorySource)part.Tensor.Storage.Source).ReadCount));
    }

    /// <summary>Twice as many files make twice as much work, and not four times.</summary>
    [Fact]
    public void Work_grows_with_the_number_of_parts()
    {
        foreach (var reorder in new[] { RotaryLayout.SplitHalves, RotaryLayout.Interleave })
        {
            var few = Allocated(500);

            Assert.InRange(Allocated(1000), few, 3 * few);

            long Allocated(int count)
            {
                // Three files have two heads.
                var slice = Cut(count * 2, 12, [.. Enumerable.Repeat(8L, count * 3)], [16]);
                var before = GC.GetAllocatedBytesForCurrentThread();

                Assert.Equal(count * 24 * 16, reorder(slice, 12).ToStorage(DType.UInt8).Length);

                return GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }
    }

    private static byte[] Read(TensorSlice slice) => TensorBytes.Of(slice.ToStorage(DType.BFloat16));

    /// <summary>A grid of parts in a storage of their own.</summary>
    private static TensorSlice Cut(long heads, long headDim, long[] rows, long[] columns)
    {
        var parts =
            from row in Enumerable.Range(0, rows.Length)
            from column in Enumerable.Range(0, columns.Length)
            let shape = new TensorShape(rows[row], columns[column])
            let source = new MemorySource(new byte[shape.ElementCount])
            let storage = new StoredBytes { Source = source, Record = "0", Offset = 0, Length = source.Length }
            select new TensorPart(
                new TensorView(storage, DType.UInt8, 0, shape, shape.RowMajorStrides()), rows.Take(row).Sum(), columns.Take(column).Sum());

        return new TensorSlice([.. parts], new TensorShape(heads * headDim, columns.Sum()));
    }

    /// <summary>Rows of heads, cut anywhere along any dim.</summary>
    private sealed class Case
    {
        private readonly NaiveView _rows;

        public Case(int heads, int headDim, long[] row, int cuts, Random random)
        {
            var bytes = new byte[row.Aggregate(heads * headDim * sizeof(short), (length, size) => length * (int)size)];
            random.NextBytes(bytes);
            _rows = NaiveView.Contiguous(bytes, DType.BFloat16, [heads * headDim, .. row]);
            HeadDim = headDim;
            Slice = RandomTiles.Cut(_rows, cuts, random);
        }

        public long HeadDim { get; }

        public long Half => HeadDim / 2;

        public TensorSlice Slice { get; }

        /// <param name="source">For a place in a head, which row comes there.</param>
        public byte[] Rows(Func<long, long> source) =>
        [
            .. from row in Enumerable.Range(0, (int)_rows.Sizes[0])
               let taken = (row / HeadDim * HeadDim) + source(row % HeadDim)
               from number in _rows.Slice(0, taken, taken + 1).Read()
               select number,
        ];

        public override string ToString() =>
            $"{_rows} in heads of {HeadDim} rows, from {string.Join(", ", Slice.Parts.Select(part => $"{part.Tensor.Shape} at ({string.Join(", ", part.Offsets)})"))}";
    }
}
