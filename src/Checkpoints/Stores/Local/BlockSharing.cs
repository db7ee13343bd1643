using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores.Local;

/// <summary>A reader of a source that can share blocks with local files.</summary>
internal interface IBlockReader : IByteReader
{
    /// <summary>Makes whole blocks of a file those of this, without reading them.</summary>
    /// <param name="offset">The first; a multiple of <see cref="BlockSharing.BlockSize"/>.</param>
    /// <param name="length">Bytes; a multiple of it.</param>
    /// <param name="target">The file, open for writing.</param>
    /// <param name="targetOffset">Where in it; a multiple of it.</param>
    /// <returns>False when they can't be shared; then nothing has changed.</returns>
    bool TryShare(long offset, long length, SafeFileHandle target, long targetOffset);
}

/// <summary>Which parts of two files can share blocks.</summary>
internal static class BlockSharing
{
    /// <summary>Bytes; the block size that mkfs.xfs and mkfs.btrfs choose. With larger blocks the kernel refuses, and bytes are copied.</summary>
    public const int BlockSize = 4096;

    /// <summary>Where the first block begins that does not begin before an offset.</summary>
    public static long NextBlock(long offset) => (offset + BlockSize - 1) / BlockSize * BlockSize;

    /// <summary>Whether a range lies as far into a block in the file as in its source.</summary>
    public static bool IsAligned(UnchangedRange range) => (range.Origin - range.Offset) % BlockSize == 0;
}
