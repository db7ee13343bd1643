using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>FICLONERANGE in ioctl_ficlonerange(2).</summary>
internal static partial class LinuxBlockClone
{
    private const nuint CloneRange = 0x4020940d;

    /// <inheritdoc cref="BlockClone.TryRun"/>
    public static bool TryRun(nint source, long offset, long length, SafeFileHandle target, long targetOffset) =>
        IoControl(target, CloneRange, new Range(source, offset, length, targetOffset)) == 0;

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoControl(SafeFileHandle target, nuint request, in Range range);

    /// <summary>struct file_clone_range of linux/fs.h.</summary>
    private readonly record struct Range(long Source, long Offset, long Length, long TargetOffset);
}
