using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// Lets two files share blocks. Later writes to one file are not visible in the other. On Linux, XFS, Btrfs
/// and bcachefs can do this (FICLONERANGE in ioctl_ficlonerange(2)). Elsewhere, this returns false and bytes are copied.
/// </summary>
internal static partial class BlockClone
{
    private const nuint CloneRange = 0x4020940d;

    /// <summary>Makes blocks of one file those of another.</summary>
    /// <param name="source">Where the blocks are; open for reading.</param>
    /// <param name="offset">The first; a multiple of the block size.</param>
    /// <param name="length">Bytes; a multiple of the block size.</param>
    /// <param name="target">Open for writing.</param>
    /// <param name="targetOffset">Where they shall be; a multiple of the block size.</param>
    /// <returns>False when the two can't share blocks; then nothing has changed.</returns>
    public static bool TryRun(SafeFileHandle source, long offset, long length, SafeFileHandle target, long targetOffset)
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
