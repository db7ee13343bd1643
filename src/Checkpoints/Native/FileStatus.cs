using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// The result of stat(2) for a path: .NET shows neither the owner nor whether two paths lead to the same file. Not for Windows.
/// </summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file or folder in it; nothing else there has the number as long as it is there, or open.</param>
/// <param name="Owner">The user that it belongs to.</param>
/// <param name="Group">The group that it belongs to.</param>
/// <param name="Mode">Its kind and its permissions.</param>
/// <param name="IsMountPoint">Whether another file system begins there, or another part of one; only known on Linux.</param>
internal readonly record struct FileStatus(ulong Device, ulong Inode, uint Owner, uint Group, int Mode, bool IsMountPoint)
{
    private const int TypeMask = 0xF000;
    private const int FolderType = 0x4000;
    private const int RegularFileType = 0x8000;

    public bool IsFolder => (Mode & TypeMask) == FolderType;

    public bool IsRegularFile => (Mode & TypeMask) == RegularFileType;

    public UnixFileMode Permissions => (UnixFileMode)(Mode & ~TypeMask);

    /// <summary>Whether it belongs to the user of this process.</summary>
    public bool IsOurs => Owner == Posix.EffectiveUser();

    /// <param name="path">The path.</param>
    /// <param name="followLink">Whether a link is followed.</param>
    /// <returns>Null where there is nothing.</returns>
    /// <exception cref="IOException">It can't be inspected.</exception>
    public static FileStatus? Find(string path, bool followLink) =>
        OperatingSystem.IsMacOS() ? MacStatus.TryGet(path, followLink, out var status) ? status : NullOrError(path)
        : LinuxStatus.TryGet(path, followLink, out status) ? status : NullOrError(path);

    /// <exception cref="IOException">It can't be inspected.</exception>
    public static FileStatus Of(SafeFileHandle file, string path) =>
        (OperatingSystem.IsMacOS() ? MacStatus.TryGet(file, out var status) : LinuxStatus.TryGet(file, out status))
            ? status
            : throw Posix.Error(path, "can't be inspected", Posix.LastError);

    /// <summary>Whether both are one file or folder, whatever their paths.</summary>
    public bool IsSameAs(FileStatus other) => Device == other.Device && Inode == other.Inode;

    private static FileStatus? NullOrError(string path) => Posix.LastError is Posix.NotFound or Posix.NotFolder
        ? null
        : throw Posix.Error(path, "can't be inspected", Posix.LastError);
}
