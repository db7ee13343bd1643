using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// Lets two files share blocks. Later writes to one file are not visible in the other. On Linux, XFS, Btrfs and bcachefs can do this; on Windows,
/// ReFS, which Dev Drives have. Elsewhere, this returns false and bytes are copied.
/// </summary>
internal static class BlockClone
{
    /// <summary>Whether a file may be on a file system that can do this. Only trying shows whether it can.</summary>
    public static bool IsConceivable(SafeFileHandle target) => OperatingSystem.IsLinux() || (OperatingSystem.IsWindows() && WindowsBlockClone.IsConceivable(target));

    /// <summary>Makes blocks of one file those of another.</summary>
    /// <param name="source">Where the blocks are; open for reading.</param>
    /// <param name="offset">The first; a multiple of the block size.</param>
    /// <param name="length">Bytes; a multiple of the block size.</param>
    /// <param name="target">Open for writing, and long enough.</param>
    /// <param name="targetOffset">Where they shall be; a multiple of the block size.</param>
    /// <returns>False when the two can't share all of these blocks; then the range in the target is to be written.</returns>
    public static bool TryRun(SafeFileHandle source, long offset, long length, SafeFileHandle target, long targetOffset)
    {
        if (!IsConceivable(target))
        {
            return false;
        }

        var acquired = false;

        try
        {
            source.DangerousAddRef(ref acquired);
            var handle = source.DangerousGetHandle();

            return OperatingSystem.IsLinux()
                ? LinuxBlockClone.TryRun(handle, offset, length, target, targetOffset)
                : WindowsBlockClone.TryRun(handle, offset, length, target, targetOffset);
        }
        finally
        {
            if (acquired)
            {
                source.DangerousRelease();
            }
        }
    }
}
