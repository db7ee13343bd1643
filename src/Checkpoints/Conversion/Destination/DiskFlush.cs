using System.Runtime.InteropServices;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>Waits until what was written is on the disk, where it outlasts a loss of power.</summary>
internal static partial class DiskFlush
{
    private const int InputOutputError = 5;

    /// <summary>Writes a small file.</summary>
    public static void WriteFile(string path, ReadOnlySpan<byte> content, bool flush)
    {
        using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None);
        RandomAccess.Write(handle, content, 0);

        if (flush)
        {
            RandomAccess.FlushToDisk(handle);
        }
    }

    /// <summary>Flushes which names are in a folder. .NET opens no folders, and Windows has no such thing.</summary>
    /// <exception cref="IOException">The disk is failing.</exception>
    public static void Folder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const int ReadOnly = 0;
        var descriptor = Open(path, ReadOnly);

        if (descriptor < 0)
        {
            throw new IOException($"'{path}' can't be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var isFlushed = Sync(descriptor) == 0;
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);

        // Network file systems say of folders in various ways that they can't, and then there is nothing that we could do.
        if (!isFlushed && error == InputOutputError)
        {
            throw new IOException($"'{path}' can't be flushed to the disk: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
