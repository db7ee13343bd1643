using System.Buffers;

namespace Fairseq2Llama.Reading;

/// <summary>Bytes of a pooled array, which goes back when they are no longer needed.</summary>
internal sealed class PooledBytes(int length) : IDisposable
{
    private readonly byte[] _array = ArrayPool<byte>.Shared.Rent(length);

    public Span<byte> Bytes => _array.AsSpan(0, length);

    public void Dispose() => ArrayPool<byte>.Shared.Return(_array);
}
