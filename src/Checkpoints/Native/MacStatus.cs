using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>struct stat of stat(2) with an inode of 64 bits, which functions of the plain names take on ARM alone.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal readonly partial struct MacStatus
{
    private const int CurrentFolder = -2;
    private const int NoFollow = 0x20;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    [FieldOffset(0)]
    private readonly uint _device;

    [FieldOffset(4)]
    private readonly ushort _mode;

    [FieldOffset(8)]
    private readonly ulong _inode;

    [FieldOffset(16)]
    private readonly uint _owner;

    [FieldOffset(20)]
    private readonly uint _group;

    private FileStatus Status => new(_device, _inode, _owner, _group, _mode, IsMountPoint: false);

    public static bool TryGet(string path, bool followLink, out FileStatus status)
    {
        var flags = followLink ? 0 : NoFollow;
        var isFound = (IsArm ? Get(CurrentFolder, path, out var found, flags) : GetOnIntel(CurrentFolder, path, out found, flags)) == 0;
        status = found.Status;
        return isFound;
    }

    public static bool TryGet(SafeFileHandle file, out FileStatus status)
    {
        var isFound = (IsArm ? Get(file, out var found) : GetOnIntel(file, out found)) == 0;
        status = found.Status;
        return isFound;
    }

    [LibraryImport("libc", EntryPoint = "fstatat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Get(int folder, string path, out MacStatus status, int flags);

    [LibraryImport("libc", EntryPoint = "fstatat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetOnIntel(int folder, string path, out MacStatus status, int flags);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int Get(SafeFileHandle file, out MacStatus status);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int GetOnIntel(SafeFileHandle file, out MacStatus status);
}
