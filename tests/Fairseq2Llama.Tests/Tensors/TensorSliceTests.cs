using CsCheck;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

/// <summary>The algebra of merging and splitting, over any number of shards along either dim.</summary>
public class TensorSliceTests
{
    private static readonly Gen<DType> DTypes = Gen.OneOf([.. new[] { DType.UInt8, DType.BFloat16, DType.Float32, DType.Complex128 }.Select(Gen.Const)]);

    /// <summary>Sizes of the pieces of a dim, empty ones among them.</summary>
    private static Gen<long[]> Pieces => Gen.Long[0, 6].Array[1, 5].Where(sizes => sizes.Sum() > 0);

    [Fact]
    public void Any_slice_of_any_parts_is_what_it_is_of_the_whole() =>
        Gen.Select(DTypes, Gen.Int[0, 1], Pieces, Pieces.Array[5], Gen.Long[1, 4], Gen.Int)
            .Select((dtype, splitDim, pieces, rowPieces, depth, seed) => new Case(dtype, splitDim, pieces, rowPieces, depth, new Random(seed)))
            .Sample(
                testCase =>
                {
                    var (dim, start, length) = testCase.RandomRange();
                    var storage = testCase.Slice.Narrow(dim, start, length).ToStorage(testCase.Whole.DType);

                    return TensorBytes.Of(storage).AsSpan().SequenceEqual(testCase.Whole.Slice(dim, start, start + length).Read())
                        && TensorBytes.Of(testCase.Slice.ToStorage(testCase.Whole.DType))
                            .AsSpan().SequenceEqual(testCase.Whole.Read());
                },
                iter: 3000);

    [Fact]
    public void Slices_of_vectors_are_what_they_are_of_the_whole() =>
        Gen.Select(DTypes, Pieces, Gen.Int).Sample(
            (dtype, pieces, seed) =>
            {
                var random = new Random(seed);
                var whole = NaiveView.Contiguous(Random(random, pieces.Sum() * dtype.GetItemSize()), dtype, pieces.Sum());
                var parts = Starts(pieces).Select((start, i) => new TensorPart(Store(whole.Slice(0, start, start + pieces[i])), start));
                var slice = new TensorSlice([.. parts], new TensorShape(whole.Sizes));
                var from = random.NextInt64(pieces.Sum());
                var length = random.NextInt64(1, pieces.Sum() - from + 1);

                return TensorBytes.Of(slice.Narrow(0, from, length).ToStorage(dtype))
                    .AsSpan().SequenceEqual(whole.Slice(0, from, from + length).Read());
            },
            iter: 1000);

    [Fact]
    public void Tensors_of_any_dims_are_put_together_from_any_boxes() =>
        Gen.Select(DTypes, Gen.Long[0, 5].Array[0, 4], Gen.Int[0, 12], Gen.Int).Sample(
            (dtype, sizes, cuts, seed) =>
            {
                var random = new Random(seed);
                var whole = NaiveView.Contiguous(Random(random, sizes.Aggregate(1L, (count, size) => count * size) * dtype.GetItemSize()), dtype, sizes);
                var slice = RandomTiles.Cut(whole, cuts, random);
                var isRight = TensorBytes.Of(slice.ToStorage(dtype)).AsSpan().SequenceEqual(whole.Read());

                for (var i = random.Next(4); i > 0 && sizes.Length > 0; i--)
                {
                    var dim = random.Next(sizes.Length);
                    var start = random.NextInt64(whole.Sizes[dim] + 1);
                    var length = random.NextInt64(whole.Sizes[dim] - start + 1);
                    (slice, whole) = (slice.Narrow(dim, start, length), whole.Slice(dim, start, start + length));
                }

                return isRight && slice.Shape.Equals(new TensorShape(whole.Sizes))
                    && TensorBytes.Of(slice.ToStorage(dtype)).AsSpan().SequenceEqual(whole.Read());
            },
            iter: 5000);

    /// <summary>Tensor parallelism divides the columns of each expert.</summary>
    [Fact]
    public void Experts_whose_columns_are_divided_take_one_band_each()
    {
        var bands = Columns(new TensorShape(8, 64, 2), [128, 2, 1], 4).ToStorage(DType.UInt8).Bands;

        Assert.Equal(8, bands.Length);
        Assert.All(bands, band => Assert.Equal((64, 4), (band.Rows, band.Columns.Length)));
    }

    [Fact]
    public void Experts_in_files_of_their_own_are_put_side_by_side()
    {
        var source = new MemorySource(new byte[128]);
        var parts = Enumerable.Range(0, 8).Select(i => new TensorPart(
            new TensorView(new StoredBytes { Source = source, Record = "0", Offset = 0, Length = 128 }, DType.UInt8, 0, new TensorShape(64, 1, 2), [2, 2, 1]),
            0,
            i / 2,
            i % 2 * 2));
        var band = Assert.Single(new TensorSlice([.. parts], new TensorShape(64, 4, 4)).ToStorage(DType.UInt8).Bands);

        Assert.Equal((64, 8), (band.Rows, band.Columns.Length));
    }

    /// <summary>A tensor that repeats one number claims any number of elements.</summary>
    [Fact]
    public void Slices_beyond_all_measure_are_refused() =>
        ErrorAssert.Throws(
            CheckpointErrorCode.UnsupportedTensor,
            () => Columns(new TensorShape(1L << 40, 2, 1), [0, 0, 0], 2).ToStorage(DType.UInt8));

    /// <summary>Twice as many files make twice as much work, and not four times.</summary>
    [Fact]
    public void Work_grows_with_the_number_of_parts()
    {
        var few = Allocated(500);

        Assert.InRange(Allocated(1000), few, 3 * few);

        static long Allocated(int count)
        {
            var source = new MemorySource(new byte[64]);
            var parts = Enumerable.Range(0, count).Select(rank => new TensorPart(
                new TensorView(new StoredBytes { Source = source, Record = "0", Offset = 0, Length = 64 }, DType.UInt8, 0, new TensorShape(1, 64), [64, 1]),
                rank));
            var slice = new TensorSlice([.. parts], new TensorShape(count, 64));
            var before = GC.GetAllocatedBytesForCurrentThread();

            Assert.Equal(64L * count, slice.ToStorage(DType.UInt8).Length);

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Columns_of_many_shards_are_gathered_a_window_at_a_time()
    {
        // 4096 rows of 8 shards would be 32768 reads one by one.
        var sources = Enumerable.Range(0, 8).Select(_ => new MemorySource(Random(new Random(1), 4096 * 64))).ToArray();
        var parts = sources.Select((source, rank) => new TensorPart(
            new TensorView(new StoredBytes { Source = source, Record = "0", Offset = 0, Length = source.Length }, DType.UInt8, 0, new TensorShape(4096, 64), [64, 1]),
            0,
            rank * 64));

        TensorBytes.Of(new TensorSlice([.. parts], new TensorShape(4096, 512)).ToStorage(DType.UInt8));

        Assert.All(sources, source => Assert.Equal(1, source.ReadCount));
    }

    [Fact]
    public void Rows_that_are_longer_than_any_buffer_are_streamed()
    {
        const int Width = 9 << 20;

        var whole = NaiveView.Contiguous(Random(new Random(1), 2 * 2 * Width), DType.UInt8, 2, 2 * Width);
        TensorPart[] parts = [new(Store(whole.Slice(1, 0, Width))), new(Store(whole.Slice(1, Width, 2 * Width)), 0, Width)];

        Assert.True(TensorBytes.Of(new TensorSlice([.. parts], new TensorShape(whole.Sizes)).ToStorage(DType.UInt8)).AsSpan().SequenceEqual(whole.Storage));
    }

    [Fact]
    public void The_stride_of_an_only_row_may_be_any_number()
    {
        // Four times that is -4 in 64 bits.
        var parts = Enumerable.Range(0, 2).Select(rank =>
        {
            var source = new MemorySource([(byte)rank, 0, 0, 0]);
            var storage = new StoredBytes { Source = source, Record = "0", Offset = 0, Length = source.Length };
            return new TensorPart(new TensorView(storage, DType.Float32, 0, new TensorShape(1, 1), [long.MaxValue, 1]), 0, rank);
        });

        Assert.Equal([0, 0, 0, 0, 1, 0, 0, 0], TensorBytes.Of(new TensorSlice([.. parts], new TensorShape(1, 2)).ToStorage(DType.Float32)));
    }

    [Fact]
    public void Tensors_that_differ_only_in_the_stride_of_one_row_do_not_collide()
    {
        // A file of a few MB can hold a hundred thousand of them.
        var storage = new StoredBytes { Source = new MemorySource([0]), Record = "0", Offset = 0, Length = 1 };
        var hashes = Enumerable.Range(0, 1000).Select(stride => new TensorView(storage, DType.UInt8, 0, new TensorShape(1), [stride]).GetHashCode());

        Assert.True(hashes.Distinct().Count() > 900);
    }

    private static byte[] Random(Random random, long length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Parts that lie side by side along dim 2.</summary>
    private static TensorSlice Columns(TensorShape part, long[] strides, int count)
    {
        var source = new MemorySource(new byte[1024]);
        var storage = new StoredBytes { Source = source, Record = "0", Offset = 0, Length = source.Length };
        var parts = Enumerable.Range(0, count).Select(i => new TensorPart(new TensorView(storage, DType.UInt8, 0, part, strides), 0, 0, i * part[2]));

        return new TensorSlice([.. parts], part.With(2, count * part[2]));
    }

    private static long[] Starts(long[] sizes) => [.. sizes.Select((_, i) => sizes[..i].Sum())];

    /// <summary>A part as a file of its own has it.</summary>
    private static TensorView Store(NaiveView part)
    {
        var copy = NaiveView.Contiguous(part.Read(), part.DType, part.Sizes);
        return copy.On(new MemorySource(copy.Storage), 0);
    }

    /// <summary>The same with its elements in another order, as transposed tensors are saved.</summary>
    private static TensorView StoreTransposed(NaiveView part)
    {
        var transposed = part.Permute(2, 1, 0);
        var copy = NaiveView.Contiguous(transposed.Read(), part.DType, transposed.Sizes).Permute(2, 1, 0);
        return copy.On(new MemorySource(copy.Storage), 0);
    }

    /// <summary>A tensor split along one dim into tensor-parallel parts, and each of these along dim 0 into sharded-data-parallel ones.</summary>
    private sealed class Case
    {
        private readonly Random _random;

        public Case(DType dtype, int splitDim, long[] pieces, long[][] rowPieces, long depth, Random random)
        {
            _random = random;

            var rows = splitDim == 0 ? pieces.Sum() : rowPieces[0].Sum();
            var columns = splitDim == 1 ? pieces.Sum() : depth;
            Whole = NaiveView.Contiguous(Random(random, rows * columns * depth * dtype.GetItemSize()), dtype, rows, columns, depth);

            foreach (var (i, start) in Starts(pieces).Index())
            {
                var rank = Whole.Slice(splitDim, start, start + pieces[i]);
                var cuts = splitDim == 0 ? Cut(rank.Sizes[0]) : rowPieces[i].Sum() == rows ? rowPieces[i] : Cut(rows);

                foreach (var (j, row) in Starts(cuts).Index())
                {
                    var part = rank.Slice(0, row, row + cuts[j]);
                    Parts.Add(new TensorPart(random.Next(4) == 0 ? StoreTransposed(part) : Store(part), (splitDim == 0 ? start : 0) + row, splitDim == 1 ? start : 0));
                }
            }
        }

        public NaiveView Whole { get; }

        public List<TensorPart> Parts { get; } = [];

        public TensorSlice Slice => new([.. Parts], new TensorShape(Whole.Sizes));

        public (int Dim, long Start, long Length) RandomRange()
        {
            var dim = _random.Next(2);
            var start = _random.NextInt64(Whole.Sizes[dim]);
            return (dim, start, _random.NextInt64(1, Whole.Sizes[dim] - start + 1));
        }

        public override string ToString() =>
            $"{Whole} from {string.Join(", ", Parts.Select(part => $"{part.Tensor.Shape} at ({string.Join(", ", part.Offsets)})"))}";

        private long[] Cut(long size)
        {
            var first = _random.NextInt64(size + 1);
            return [first, size - first];
        }
    }
}
