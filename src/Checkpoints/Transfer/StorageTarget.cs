using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles.Zip;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Transfer;

/// <summary>The place of a storage in a file that is being written. It is filled from front to back.</summary>
/// <param name="file">The file.</param>
/// <param name="offset">Where the place begins.</param>
/// <param name="written">Told how many bytes have been added; throws when the work shall end.</param>
internal sealed class StorageTarget(SafeFileHandle file, long offset, Action<long> written)
{
    private long _offset = offset;

    public void Write(ReadOnlySpan<byte> chunk)
    {
        RandomAccess.Write(file, chunk, _offset);
        Advance(chunk.Length);
    }

    /// <summary>Fills it with a range of a source by sharing blocks; only what shares its block with something else is copied.</summary>
    /// <param name="source">The source.</param>
    /// <param name="origin">Where in it the range begins.</param>
    /// <param name="length">Bytes of the range.</param>
    /// <returns>False when that can't be done; then nothing has changed.</returns>
    public bool TryShare(IByteReader source, long origin, long length)
    {
        var end = origin + length;
        var firstBlock = new DataPlacement(BlockSharing.BlockSize, 0).NextFrom(origin);
        var endBlock = end - (end % BlockSharing.BlockSize);
        var target = _offset + (firstBlock - origin);

        if (firstBlock >= endBlock || target % BlockSharing.BlockSize != 0 || !source.TryShare(firstBlock, endBlock - firstBlock, file, target))
        {
            return false;
        }

        Copy(source, origin, firstBlock);
        Advance(endBlock - firstBlock);
        Copy(source, endBlock, end);
        return true;
    }

    private void Copy(IByteReader source, long start, long end)
    {
        Span<byte> edge = stackalloc byte[(int)(end - start)];
        source.Read(start, edge);
        Write(edge);
    }

    private void Advance(long count)
    {
        _offset += count;
        written(count);
    }
}
