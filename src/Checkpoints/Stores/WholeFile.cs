using System.Buffers;

namespace Fairseq2Llama.Stores;

/// <summary>Takes a piece of a file; the bytes are not used again.</summary>
internal delegate void FilePiece(ReadOnlySpan<byte> bytes);

/// <summary>Reads all of a file that is not looked at by places: a small one at once, another one piece by piece.</summary>
internal static class WholeFile
{
    private const int PieceSize = 1 << 20;

    /// <summary>All of a text in UTF-8, without the mark that it may begin with.</summary>
    /// <param name="source">The file.</param>
    /// <param name="maxLength">Bytes that it may have.</param>
    /// <exception cref="CheckpointException">It is empty, too large, or can't be read.</exception>
    public static ReadOnlyMemory<byte> ReadText(IByteSource source, int maxLength)
    {
        if (source.Length > maxLength)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is {source.Length} bytes long, and such files have at most {maxLength}.");
        }

        // Pipes and devices have no length either, and opening one could wait for ever.
        if (source.Length == 0)
        {
            throw CheckpointException.Corrupt(source.Name, "it is empty.");
        }

        var text = Read(source);
        return text.AsMemory(text.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0);
    }

    /// <summary>All of a file that is known to be no larger than memory has room for.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static byte[] Read(IByteSource source, CancellationToken cancellationToken = default)
    {
        using var reader = source.Open(cancellationToken);
        reader.Expect([new ByteRange(0, source.Length)]);
        var bytes = new byte[source.Length];
        reader.Read(0, bytes);
        return bytes;
    }

    /// <param name="reader">The file.</param>
    /// <param name="length">Its length.</param>
    /// <param name="take">Gets the pieces, from first to last.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static void ReadPieces(IByteReader reader, long length, FilePiece take, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);
        reader.Expect([new ByteRange(0, length)]);

        try
        {
            for (var offset = 0L; offset < length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(PieceSize, length - offset));
                reader.Read(offset, piece);
                take(piece);
                offset += piece.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
