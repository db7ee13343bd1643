using System.Collections.Concurrent;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// Checksums of the pieces in which storages are read, in any order and on any thread: together they give the checksum that a separate pass over a storage
/// would.
/// </summary>
internal sealed class PieceChecksums
{
    private readonly ConcurrentDictionary<StoredBytes, ConcurrentBag<Piece>> _pieces = new();

    /// <summary>Of which there are pieces.</summary>
    public ICollection<StoredBytes> Storages => _pieces.Keys;

    /// <param name="run">Which bytes were read, one after the other.</param>
    /// <param name="crc">Their checksum.</param>
    public void Add(ByteRuns run, uint crc) => _pieces.GetOrAdd(run.Storage, _ => []).Add(new Piece(run.Offset, run.RunLength, crc));

    /// <summary>The checksum of a storage; null where pieces of it are missing.</summary>
    public uint? Combine(StoredBytes storage)
    {
        var (length, crc) = (0L, 0u);

        foreach (var piece in _pieces[storage].Distinct().OrderBy(piece => piece.Offset))
        {
            if (piece.Offset != length)
            {
                return null;
            }

            crc = Crc32Combination.Combine(crc, piece.Crc, piece.Length);
            length += piece.Length;
        }

        return length == storage.Length ? crc : null;
    }

    private readonly record struct Piece(long Offset, long Length, uint Crc);
}
