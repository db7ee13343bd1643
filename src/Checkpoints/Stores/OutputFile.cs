using Fairseq2Llama.Native;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores;

/// <summary>A new file that is being written. Whether it could be shows only at its end: it is whole once <see cref="Complete"/> has returned.</summary>
internal sealed class OutputFile : IDisposable
{
    /// <summary>What .NET says of every failure that it has no number for, as of a full disk when it preallocates.</summary>
    private const int Unspecific = unchecked((int)0x80131620);

    /// <summary>A file beyond that size can be too large for the file system, too, and .NET tells the two apart only by their texts.</summary>
    private const long MaxCertain = uint.MaxValue;

    private readonly string _path;

    private OutputFile(string path, SafeFileHandle handle)
    {
        _path = path;
        Handle = handle;
    }

    public SafeFileHandle Handle { get; }

    /// <param name="path">Where; there must be no such file, nor a link of that name.</param>
    /// <param name="room">Bytes to ask the file system for, which finds a full disk now rather than after an hour; 0 for none.</param>
    /// <exception cref="IOException">There is no room, or the file can't be made.</exception>
    public static OutputFile Create(string path, long room = 0)
    {
        try
        {
            // A lock would outlast the file for a moment wherever a process is being started, which has all files until it runs another program.
            return new OutputFile(path, File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, preallocationSize: room));
        }
        catch (IOException e) when (e.HResult == Unspecific && room is > 0 and < MaxCertain)
        {
            throw new IOException(e.Message, Posix.NoSpace);
        }
    }

    /// <summary>Writes a small file.</summary>
    /// <exception cref="IOException">It can't be written, or is there already.</exception>
    public static void WriteAll(string path, ReadOnlySpan<byte> content, bool flush)
    {
        using var file = Create(path);
        file.Write(content, 0);
        file.Complete(flush);
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(Handle, bytes, offset);

    /// <param name="flush">Whether it must have reached the disk.</param>
    /// <exception cref="IOException">What was written is not all there.</exception>
    public void Complete(bool flush)
    {
        if (flush)
        {
            DiskFlush.File(Handle, _path);
        }

        UnixFile.Close(Handle, _path);
    }

    public void Dispose() => Handle.Dispose();
}
