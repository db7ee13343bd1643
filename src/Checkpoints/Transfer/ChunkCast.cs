using System.Buffers;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>Casts elements that stream by to another type, in a buffer of its own.</summary>
internal sealed class ChunkCast(DType from, DType to) : IDisposable
{
    private byte[] _buffer = [];

    /// <summary>How many finite numbers have become infinite so far.</summary>
    public long Overflows { get; private set; }

    /// <summary>What is returned is overwritten by the next call.</summary>
    public Span<byte> Apply(ReadOnlySpan<byte> chunk)
    {
        var length = chunk.Length / from.GetItemSize() * to.GetItemSize();

        if (_buffer.Length < length)
        {
            Dispose();
            _buffer = ArrayPool<byte>.Shared.Rent(length);
        }

        var target = _buffer.AsSpan(0, length);
        ThirdParty.TensorMath.Cast(from, chunk, to, target);

        if (NonFiniteCounter.HasInfinities(to, target))
        {
            Overflows += CountInfinities(to, target) - CountInfinities(from, chunk);
        }

        return target;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private static long CountInfinities(DType dtype, ReadOnlySpan<byte> chunk)
    {
        var counter = new NonFiniteCounter(dtype);
        counter.Add(chunk);
        return counter.Infinities;
    }
}
