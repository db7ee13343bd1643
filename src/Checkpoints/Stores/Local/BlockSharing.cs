using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores.Local;

/// <summary>A reader of what can share blocks with local files.</summary>
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

/// <summary>
/// Lets two files share blocks: what is written to one of them later is no longer shared, so to everyone each has its own. On Linux XFS, Btrfs
/// and bcachefs can do so (FICLONERANGE in ioctl_ficlonerange(2)). Elsewhere this says no, and bytes are copied.
/// </summary>
internal static partial class BlockSharing
{
    /// <summary>Bytes; the block size that mkfs.xfs and mkfs.btrfs choose. With larger blocks the kernel refuses, and bytes are copied.</summary>
    public const int BlockSize = 4096;

    private const nuint CloneRange = 0x4020940d;

    /// <summary>Where the first block begins that does not begin before an offset.</summary>
    public static long NextBlock(long offset) => (offset + BlockSize - 1) / BlockSize * BlockSize;

    /// <summary>Whether a range lies as far into a block in the file as in its source.</summary>
    public static bool IsAligned(UnchangedRange range) => (range.Origin - range.Offset) % BlockSize == 0;

    /// <summary>Makes blocks of one file those of another.</summary>
    /// <param name="source">Where the blocks are; open for reading.</param>
    /// <param name="offset">The first; a multiple of <see cref="BlockSize"/>.</param>
    /// <param name="length">Bytes; a multiple of <see cref="BlockSize"/>.</param>
    /// <param name="target">Open for writing.</param>
    /// <param name="targetOffset">Where they shall be; a multiple of <see cref="BlockSize"/>.</param>
    /// <returns>False when the two can't share blocks; then nothing has changed.</returns>
    public static bool TryShare(SafeFileHandle source, long offset, long length, SafeFileHandle target, long targetOffset)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var acquired = false;

        try
        {
            source.DangerousAddRef(ref acquired);
            return IoControl(target, CloneRange, new Range(source.DangerousGetHandle(), offset, length, targetOffset)) == 0;
        }
        finally
        {
            if (acquired)
            {
                source.DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoControl(SafeFileHandle target, nuint request, in Range range);

    /// <summary>struct file_clone_range of linux/fs.h.</summary>
    private readonly record struct Range(long Source, long Offset, long Length, long TargetOffset);
}
