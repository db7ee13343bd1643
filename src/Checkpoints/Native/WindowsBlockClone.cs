using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// FSCTL_DUPLICATE_EXTENTS_TO_FILE, for files of one ReFS volume. Windows refuses what it can't share: ranges that are no whole clusters, other
/// volumes, sparse files or integrity streams on one side only.
/// </summary>
internal static partial class WindowsBlockClone
{
    private const uint DuplicateExtents = 0x0009_8344;

    /// <summary>FILE_SUPPORTS_BLOCK_REFCOUNTING of winnt.h.</summary>
    private const uint SharesBlocks = 0x0800_0000;

    /// <summary>A call takes less than 4 GiB. This is a multiple of every cluster size.</summary>
    private const long MaxLength = 1L << 30;

    /// <summary>Calls of several threads at once have given zeros (microsoft/CopyOnWrite, issue 12).</summary>
    private static readonly object OneAtATime = new();

    /// <inheritdoc cref="BlockClone.IsConceivable"/>
    public static bool IsConceivable(SafeFileHandle target) => GetVolumeInformation(target, 0, 0, 0, 0, out var flags, 0, 0) && (flags & SharesBlocks) != 0;

    /// <inheritdoc cref="BlockClone.TryRun"/>
    public static bool TryRun(nint source, long offset, long length, SafeFileHandle target, long targetOffset)
    {
        lock (OneAtATime)
        {
            return Divide(offset, length, targetOffset).All(part =>
                DeviceIoControl(target, DuplicateExtents, new Extents(source, part.Offset, part.TargetOffset, part.Length), (uint)Marshal.SizeOf<Extents>(), 0, 0, out _, 0));
        }
    }

    /// <summary>The calls that a range takes.</summary>
    public static IEnumerable<(long Offset, long TargetOffset, long Length)> Divide(long offset, long length, long targetOffset)
    {
        for (var done = 0L; done < length; done += MaxLength)
        {
            yield return (offset + done, targetOffset + done, Math.Min(MaxLength, length - done));
        }
    }

    [LibraryImport("kernel32", EntryPoint = "GetVolumeInformationByHandleW", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetVolumeInformation(
        SafeFileHandle file, nint name, uint nameSize, nint serialNumber, nint maxNameLength, out uint flags, nint fileSystem, uint fileSystemSize);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DeviceIoControl(
        SafeFileHandle file, uint code, in Extents input, uint inputSize, nint output, uint outputSize, out uint returned, nint overlapped);

    /// <summary>DUPLICATE_EXTENTS_DATA of winioctl.h.</summary>
    private readonly record struct Extents(nint Source, long SourceOffset, long TargetOffset, long Length);
}
