using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>struct statx of statx(2), which is the same for all processors.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly partial struct LinuxStatus
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicFields = 0x7ff;
    private const ulong MountPoint = 0x2000;

    [FieldOffset(8)]
    private readonly ulong _attributes;

    [FieldOffset(20)]
    private readonly uint _owner;

    [FieldOffset(24)]
    private readonly uint _group;

    [FieldOffset(28)]
    private readonly ushort _mode;

    [FieldOffset(32)]
    private readonly ulong _inode;

    [FieldOffset(136)]
    private readonly uint _deviceMajor;

    [FieldOffset(140)]
    private readonly uint _deviceMinor;

    private FileStatus Status =>
        new(((ulong)_deviceMajor << 32) | _deviceMinor, _inode, _owner, _group, _mode, (_attributes & MountPoint) != 0);

    public static bool TryGet(string path, bool followLink, out FileStatus status)
    {
        var isFound = Get(CurrentFolder, path, followLink ? 0 : NoFollow, BasicFields, out var found) == 0;
        status = found.Status;
        return isFound;
    }

    public static bool TryGet(SafeFileHandle file, out FileStatus status)
    {
        var isFound = Get(file, "", EmptyPath, BasicFields, out var found) == 0;
        status = found.Status;
        return isFound;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Get(int folder, string path, int flags, uint fields, out LinuxStatus status);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Get(SafeFileHandle file, string path, int flags, uint fields, out LinuxStatus status);
}
