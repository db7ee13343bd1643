using Fairseq2Llama.Native;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores.Local;

/// <summary>A new local file that is being written. Whether it could be shows only at its end.</summary>
internal sealed class OutputFile : IFileSink
{
    /// <summary>The error of .NET for every failure without a number of its own, such as a full disk in a preallocation.</summary>
    private const int Unspecific = unchecked((int)0x80131620);

    /// <summary>A larger file can also exceed the limit of the file system, and .NET distinguishes the two errors only by their texts.</summary>
    private const long MaxCertain = uint.MaxValue;

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly bool _flush;
    private bool _shares;

    private OutputFile(string path, SafeFileHandle handle, bool flush)
    {
        _path = path;
        _handle = handle;
        _flush = flush;
    }

    public bool PrefersOrder => false;

    /// <param name="path">Where; there must be no such file, nor a link of that name.</param>
    /// <param name="room">Bytes to ask the file system for, which finds a full disk now rather than after an hour; 0 for none.</param>
    /// <param name="flush">Whether it must have reached the disk when it is complete.</param>
    /// <exception cref="IOException">There is no room, or the file can't be created.</exception>
    public static OutputFile Create(string path, long room = 0, bool flush = false)
    {
        try
        {
            // A lock would outlast the file for a moment wherever a process is being started, which has all files until it runs another program.
            var handle = TransientLock.Outwait(
                () => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, preallocationSize: room),
                TransientLock.CanBeOfDeleted);

            return new OutputFile(path, handle, flush);
        }
        catch (IOException e) when (e.HResult == Unspecific && room is > 0 and < MaxCertain)
        {
            throw new IOException(e.Message, Posix.NoSpace);
        }
    }

    /// <summary>As <see cref="Create"/>, for a file that will share blocks and so takes little room. On Windows, it can share them only within its length.</summary>
    public static OutputFile CreateToShare(string path, long length, bool flush)
    {
        var file = Create(path, flush: flush);

        try
        {
            RandomAccess.SetLength(file._handle, length);
            file._shares = true;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a small file.</summary>
    /// <exception cref="IOException">It can't be written, or is there already.</exception>
    public static void WriteAll(string path, ReadOnlySpan<byte> content, bool flush = false)
    {
        using var file = Create(path, flush: flush);
        file.Write(content, 0);
        file.Complete();
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(_handle, bytes, offset);

    /// <summary>Shares blocks, if it was created to; only what shares its block with something else is copied.</summary>
    public bool TryShare(IByteReader source, long origin, long length, long offset)
    {
        if (!_shares || source is not IBlockReader blocks)
        {
            return false;
        }

        var end = origin + length;
        var firstBlock = BlockSharing.NextBlock(origin);
        var endBlock = end - (end % BlockSharing.BlockSize);
        var target = offset + (firstBlock - origin);

        if (firstBlock >= endBlock || target % BlockSharing.BlockSize != 0
            || !blocks.TryShare(firstBlock, endBlock - firstBlock, _handle, target))
        {
            return false;
        }

        Copy(source, origin, firstBlock, offset);
        Copy(source, endBlock, end, offset + (endBlock - origin));
        return true;
    }

    public void Complete()
    {
        if (_flush)
        {
            DiskFlush.File(_handle, _path);
        }

        UnixFile.Close(_handle, _path);
    }

    public void Dispose() => _handle.Dispose();

    private void Copy(IByteReader source, long start, long end, long offset)
    {
        Span<byte> edge = stackalloc byte[(int)(end - start)];
        source.Read(start, edge);
        Write(edge, offset);
    }
}
