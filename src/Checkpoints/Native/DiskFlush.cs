using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// Waits until written data is on the disk, where it survives a loss of power. .NET has <see cref="RandomAccess.FlushToDisk"/>, which
/// reports nothing if the disk is failing, or is full and shows it only now, as thin volumes and network file systems do.
/// </summary>
internal static partial class DiskFlush
{
    /// <summary>Only with this does macOS have the disk write what is in its own memory.</summary>
    private const int MacFullSync = 51;

    /// <exception cref="IOException">It may not be on the disk.</exception>
    public static void File(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            if (!FlushFileBuffers(file))
            {
                throw new IOException($"'{path}' can't be flushed to the disk: {new Win32Exception().Message}", Marshal.GetHRForLastWin32Error());
            }
        }
        else
        {
            Require(file, path, isFolder: false);
        }
    }

    /// <summary>Flushes the names in a folder. .NET can't open folders, and Windows has no such operation.</summary>
    /// <exception cref="IOException">It may not be on the disk.</exception>
    public static void Folder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var folder = UnixFile.Open(path, Posix.ReadOnly);
        Require(folder, path, isFolder: true);
    }

    private static void Require(SafeFileHandle file, string path, bool isFolder)
    {
        if (TryFlush(file) is not 0 and var error && !MeansNotSupported(error, isFolder))
        {
            throw Posix.Error(path, "can't be flushed to the disk", error);
        }
    }

    private static int TryFlush(SafeFileHandle file)
    {
        if (OperatingSystem.IsMacOS() && (Posix.Control(file, MacFullSync) != -1 || !MeansNotSupported(Posix.LastError, isFolder: false)))
        {
            return Posix.LastError;
        }

        while (Posix.Sync(file) != 0)
        {
            if (Posix.LastError is not Posix.Interrupted and var error)
            {
                return error;
            }
        }

        return 0;
    }

    /// <summary>Nothing more can be done: the data is as safe as it can be.</summary>
    private static bool MeansNotSupported(int error, bool isFolder) =>
        error is Posix.Invalid or Posix.ReadOnlyFileSystem
        || error == Posix.NotSupported || error == Posix.OperationNotSupported || error == Posix.NotImplemented

        // For a folder, some network file systems need a descriptor for writing, which folders do not have.
        || (isFolder && error == Posix.BadDescriptor);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushFileBuffers(SafeFileHandle file);
}
