using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Transfer;

/// <summary>The place of a storage in a file that is being written. It is filled from front to back.</summary>
/// <param name="file">The file.</param>
/// <param name="offset">Where the place begins.</param>
/// <param name="written">Told how many bytes have been added.</param>
internal sealed class StorageTarget(IFileSink file, long offset, Action<long> written)
{
    private long _offset = offset;
    private long _observed = offset;

    public void Write(ReadOnlySpan<byte> chunk)
    {
        file.Write(chunk, _offset);
        Advance(chunk.Length);
    }

    /// <summary>Fills it with a range of a source that need not be read for it.</summary>
    /// <param name="source">The source.</param>
    /// <param name="origin">Where in it the range begins.</param>
    /// <param name="length">Bytes of the range.</param>
    /// <returns>False when that can't be done; then nothing has changed.</returns>
    public bool TryShare(IByteReader source, long origin, long length)
    {
        if (!file.TryShare(source, origin, length, _offset))
        {
            return false;
        }

        Advance(length);
        return true;
    }

    /// <summary>Shows the file what it has taken over.</summary>
    public void Observe(ReadOnlySpan<byte> chunk)
    {
        file.Observe(chunk, _observed);
        _observed += chunk.Length;
    }

    private void Advance(long count)
    {
        _offset += count;
        written(count);
    }
}
