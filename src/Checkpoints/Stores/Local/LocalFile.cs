using Fairseq2Llama.Native;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Stores.Local;

/// <summary>A file, remembered with its length and time so that a file that changed between reading and exporting is noticed.</summary>
internal sealed class LocalFile : IByteSource
{
    private readonly DateTime _lastWriteTime;
    private bool _isOnDisk = !OperatingSystem.IsWindows();

    /// <summary>Looks at the file without opening it.</summary>
    /// <param name="path">An absolute path.</param>
    /// <exception cref="CheckpointException">There is no such file.</exception>
    public LocalFile(string path)
    {
        // A link is followed: the caches of Hugging Face's tools are full of links.
        var file = new FileInfo(RealPath.Of(path));

        if (!file.Exists)
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file '{path}'. Check the spelling of the path.", path);
        }

        Name = Path.GetFullPath(path);
        Length = file.Length;
        _lastWriteTime = file.LastWriteTimeUtc;
    }

    /// <summary>The length of a file, or of the target of a link; 0 if there is none.</summary>
    public static long LengthOf(string path) => new FileInfo(RealPath.Of(path)) is { Exists: true } file ? file.Length : 0;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length { get; }

    IByteReader IByteSource.Open(CancellationToken cancellationToken) => Open();

    /// <inheritdoc cref="IByteSource.Open"/>
    public Reader Open()
    {
        try
        {
            var reader = new Reader(this, OpenHandle());

            try
            {
                reader.RequireUnchanged();
                return reader;
            }
            catch
            {
                reader.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(Name, e);
        }
    }

    /// <summary>
    /// Waits until the file is on the disk. On Windows, blocks are shared only then: ReFS has shared blocks that were not yet there as zeros (microsoft/CopyOnWrite, issue 12;
    /// git-lfs, issue 6312).
    /// </summary>
    /// <returns>False if it may not be there.</returns>
    public bool TryFlush() => _isOnDisk = _isOnDisk || WindowsFile.TryFlush(Name);

    /// <summary>
    /// Meanwhile there may be a pipe of that name, and .NET would wait for ever for somebody to write into it. Windows shows that a file was changed only when its writer
    /// closes it, so there nobody may write meanwhile.
    /// </summary>
    private SafeFileHandle OpenHandle() => OperatingSystem.IsWindows()
        ? TransientLock.Outwait(() => File.OpenHandle(Name, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete), TransientLock.IsSharingViolation)
        : UnixFile.Open(Name, Posix.ReadOnly);

    private static CheckpointException Unreadable(string name, Exception cause) => new(
        CheckpointErrorCode.ReadFailed, $"'{name}' can't be read: {cause.Message}", name, cause);

    internal sealed class Reader(LocalFile file, SafeFileHandle handle) : IBlockReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            try
            {
                while (!buffer.IsEmpty)
                {
                    var count = RandomAccess.Read(handle, buffer, offset);

                    if (count == 0)
                    {
                        RequireUnchanged();
                        throw CheckpointException.Corrupt(file.Name, $"it ends at byte {offset}, {Quantity.Of(buffer.Length, "byte")} too early.");
                    }

                    buffer = buffer[count..];
                    offset += count;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unreadable(file.Name, e);
            }
        }

        public bool TryShare(long offset, long length, SafeFileHandle target, long targetOffset) =>
            file._isOnDisk && BlockClone.TryRun(handle, offset, length, target, targetOffset);

        public void RequireUnchanged()
        {
            if (!IsFile || RandomAccess.GetLength(handle) != file.Length || File.GetLastWriteTimeUtc(handle) != file._lastWriteTime)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.CheckpointCorrupt,
                    $"'{file.Name}' was changed after it was read. Wait until the program that writes it has finished, then read the checkpoint again.",
                    file.Name);
            }
        }

        private bool IsFile => OperatingSystem.IsWindows() || FileStatus.Of(handle, file.Name).IsRegularFile;

        public void Dispose() => handle.Dispose();
    }
}
