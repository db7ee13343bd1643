using System.Buffers;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>Memory for blocks that are read ahead, bounded for all readers of a store together.</summary>
/// <param name="capacity">Bytes that all blocks may have together.</param>
/// <param name="blockSize">Bytes that one may have.</param>
internal sealed class BlockPool(long capacity, int blockSize)
{
    private long _free = capacity;

    /// <summary>Bytes that a block may have.</summary>
    public int BlockSize => blockSize;

    /// <returns>Null if there is too little left.</returns>
    public byte[]? TryRent(long length)
    {
        if (Interlocked.Add(ref _free, -length) >= 0)
        {
            return ArrayPool<byte>.Shared.Rent((int)length);
        }

        Interlocked.Add(ref _free, length);
        return null;
    }

    /// <param name="block">One that was rented and that nobody uses any more.</param>
    /// <param name="length">The length that was asked for.</param>
    public void Return(byte[] block, long length)
    {
        ArrayPool<byte>.Shared.Return(block);
        Interlocked.Add(ref _free, length);
    }
}
