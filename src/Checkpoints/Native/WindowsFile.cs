using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>What Windows knows of files and .NET does not show. Not for other systems.</summary>
internal static partial class WindowsFile
{
    private const uint ShareAll = 7;
    private const uint OpenExisting = 3;

    /// <summary>Without this flag, folders can't be opened.</summary>
    private const uint BackupSemantics = 0x0200_0000;

    private const int FileIdInfo = 18;

    private const int MaxLength = short.MaxValue;

    /// <summary>That of folders.</summary>
    private const int MaxShortLength = 248;

    /// <summary>
    /// The same for all paths that lead to one folder: short names, substituted and mapped drives, junctions, folders where a volume is mounted.
    /// </summary>
    /// <returns>Null if there is no such folder, or its file system has no such numbers, as FAT.</returns>
    public static string? IdentityOf(string folder)
    {
        using var handle = CreateFile(Extended(folder), 0, ShareAll, 0, OpenExisting, BackupSemantics, 0);

        return !handle.IsInvalid && GetFileInformationByHandleEx(handle, FileIdInfo, out var id, (uint)Marshal.SizeOf<FileId>()) && id.IsUnique
            ? string.Create(CultureInfo.InvariantCulture, $"{id.Volume:x}:{id.High:x16}{id.Low:x16}")
            : null;
    }

    /// <summary>A path with long names in the place of short ones such as <c>CHECKP~1</c>; the path itself if nothing is there.</summary>
    public static string LongPathOf(string path)
    {
        var extended = Extended(path);
        var buffer = new char[MaxLength];
        var length = GetLongPathName(extended, buffer, buffer.Length);
        return length > 0 && length < buffer.Length ? new string(buffer, 0, length) : path;
    }

    /// <summary>Waits until a file is on the disk, whoever wrote it. That takes the right to write into it.</summary>
    /// <returns>False if it may not be.</returns>
    public static bool TryFlush(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            DiskFlush.File(file, path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Bytes left for this user in a folder: another volume may be mounted there, or a quota apply. Works for network shares, too.</summary>
    /// <returns>Null if Windows does not say.</returns>
    public static long? AvailableSpaceIn(string folder) => GetDiskFreeSpaceEx(Extended(folder) + Path.DirectorySeparatorChar, out var available, 0, 0) ? (long)Math.Min(available, long.MaxValue) : null;

    [LibraryImport("kernel32", EntryPoint = "CreateFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial SafeFileHandle CreateFile(string path, uint access, uint share, nint security, uint creation, uint flags, nint template);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandleEx(SafeFileHandle file, int kind, out FileId id, uint size);

    [LibraryImport("kernel32", EntryPoint = "GetLongPathNameW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial int GetLongPathName(string path, [Out] char[] buffer, int size);

    [LibraryImport("kernel32", EntryPoint = "GetDiskFreeSpaceExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetDiskFreeSpaceEx(string folder, out ulong available, nint total, nint free);

    /// <summary>As .NET does for its own calls. Without this, paths may have 260 characters.</summary>
    private static string Extended(string path) =>
        path.Length < MaxShortLength || path.StartsWith(@"\\?\", StringComparison.Ordinal) || path.StartsWith(@"\\.\", StringComparison.Ordinal) ? path
        : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC\" + path[2..]
        : @"\\?\" + path;

    /// <summary>FILE_ID_INFO of winbase.h.</summary>
    private readonly record struct FileId(ulong Volume, ulong Low, ulong High)
    {
        /// <summary>File systems that have no such numbers give 0 or the largest one ([MS-FSCC], 2.1.10).</summary>
        public bool IsUnique => (Low, High) is not ((0, 0) or (ulong.MaxValue, ulong.MaxValue));
    }
}
