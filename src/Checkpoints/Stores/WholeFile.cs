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

    /// <summary>All of a file, which must stay as it is meanwhile.</summary>
    /// <param name="source">The file.</param>
    /// <param name="take">Gets the pieces, from first to last.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be read, or has changed.</exception>
    public static void ReadPieces(IByteSource source, FilePiece take, CancellationToken cancellationToken)
    {
        // Pipes and devices have no length, and opening one could wait for ever.
        if (source.Length == 0)
        {
            return;
        }

        using var reader = source.Open(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);
        reader.Expect([new ByteRange(0, source.Length)]);

        try
        {
            for (var offset = 0L; offset < source.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(PieceSize, source.Length - offset));
                reader.Read(offset, piece);
                take(piece);
                offset += piece.Length;
            }

            reader.RequireUnchanged();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
