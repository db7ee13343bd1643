using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Reads the 8 MiB of a matrix of 2048x2048 bfloat16 from a file, in the orders in which conversions want them.</summary>
[MemoryDiagnoser]
public class RunReading : IDisposable
{
    private const int Size = 2048;

    private ScratchFile? _file;
    private IByteReader _reader = null!;
    private RunReader _runs = null!;
    private ByteRuns _contiguous = null!;
    private ByteRuns _transposed = null!;
    private RunColumn[] _halves = null!;
    private long _length;

    /// <summary>Makes the file.</summary>
    [GlobalSetup]
    public void MakeFile()
    {
        _file = new ScratchFile(RandomNumbers.Bytes(Size * Size * DType.BFloat16.GetItemSize()));
        _reader = _file.Source.Open();
        _runs = new RunReader();

        var storage = new StoredBytes { Source = _file.Source, Record = "0", Offset = 0, Length = _file.Source.Length };
        var square = new TensorShape(Size, Size);
        var half = new TensorShape(Size, Size / 2);

        _contiguous = ByteRuns.Of(new TensorView(storage, DType.BFloat16, 0, square, square.RowMajorStrides()));
        _transposed = ByteRuns.Of(new TensorView(storage, DType.BFloat16, 0, square, [1, Size]));
        _halves =
        [
            .. from start in (int[])[0, Size * Size / 2]
               select new RunColumn(_reader, 0, ByteRuns.OfRows(new TensorView(storage, DType.BFloat16, start, half, half.RowMajorStrides()))),
        ];
    }

    /// <summary>Takes it away.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _runs.Dispose();
        _reader.Dispose();
        _file?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>As they lie there, one run.</summary>
    [Benchmark(Baseline = true)]
    public long Contiguous() => Read(_contiguous);

    /// <summary>Column by column, one run for each element.</summary>
    [Benchmark]
    public long Transposed() => Read(_transposed);

    /// <summary>Two shards side by side: by turns half a row of the one and half a row of the other.</summary>
    [Benchmark]
    public long TwoColumns()
    {
        _length = 0;
        _runs.ReadRows(Size, _halves, chunk => _length += chunk.Length);
        return _length;
    }

    private long Read(ByteRuns runs)
    {
        _length = 0;
        _runs.Read(_reader, 0, runs, chunk => _length += chunk.Length);
        return _length;
    }
}
