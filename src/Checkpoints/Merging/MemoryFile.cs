using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Merging;

/// <summary>Bytes in memory, as if they were in a file.</summary>
internal sealed class MemoryFile : IByteSource, IByteReader
{
    private const int PieceSize = 64 << 20;

    private readonly byte[][] _pieces;

    /// <param name="name">Its name in messages.</param>
    /// <param name="length">Bytes. An array has room for 2 GB.</param>
    /// <param name="fill">Gives them, first to last.</param>
    public MemoryFile(string name, long length, Action<ChunkSink> fill)
    {
        Name = name;
        Length = length;
        _pieces = [.. Enumerable.Range(0, (int)((length + PieceSize - 1) / PieceSize)).Select(i => GC.AllocateUninitializedArray<byte>((int)Math.Min(PieceSize, length - ((long)i * PieceSize))))];
        var offset = 0L;

        fill(chunk =>
        {
            for (var rest = chunk; !rest.IsEmpty;)
            {
                var part = At(offset, rest.Length);
                rest[..part.Length].CopyTo(part);
                rest = rest[part.Length..];
                offset += part.Length;
            }
        });
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public IByteReader Open(CancellationToken cancellationToken = default) => this;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var part = At(offset, buffer.Length);
            part.CopyTo(buffer);
            buffer = buffer[part.Length..];
            offset += part.Length;
        }
    }

    /// <inheritdoc/>
    public void RequireUnchanged()
    {
    }

    /// <summary>Nothing: whoever has the tensor can read it again.</summary>
    public void Dispose()
    {
    }

    private Span<byte> At(long offset, int length)
    {
        var (index, start) = Math.DivRem(offset, PieceSize);
        return _pieces[index].AsSpan((int)start, (int)Math.Min(length, _pieces[index].Length - start));
    }
}
