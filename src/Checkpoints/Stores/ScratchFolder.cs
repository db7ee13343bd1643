using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama.Stores;

/// <summary>A local folder for temporary files. Other users of the machine may not be allowed to read the weights, so only this user has access.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private readonly bool _isTemporary;

    private ScratchFolder(string path, bool isTemporary)
    {
        Path = path;
        _isTemporary = isTemporary;
    }

    /// <summary>Where it is, or would be.</summary>
    public string Path { get; }

    /// <summary>One that is there already and is removed by somebody else.</summary>
    public static ScratchFolder In(string path) => new(path, isTemporary: false);

    /// <summary>One that is made when something is put into it.</summary>
    public static ScratchFolder Temporary() =>
        new(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"fairseq2llama-{System.IO.Path.GetRandomFileName()}"), isTemporary: true);

    /// <summary>Checks that there is enough space.</summary>
    /// <exception cref="CheckpointException">There is not.</exception>
    public void Require(long length)
    {
        if (length > 0)
        {
            DiskSpace.Require(System.IO.Path.GetDirectoryName(Path)!, length);
        }
    }

    /// <summary>Writes a file.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="write">Writes its content.</param>
    /// <exception cref="CheckpointException">It can't be written.</exception>
    public IByteSource Write(string name, long length, Action<Stream> write)
    {
        var path = System.IO.Path.Combine(Path, name);

        if (_isTemporary)
        {
            Create(length);
        }

        try
        {
            using var stream = File.Create(path);
            write(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, Path, length);
        }

        return new LocalFile(path);
    }

    public void Dispose()
    {
        if (_isTemporary && Directory.Exists(Path))
        {
            Discard.Folder(Path);
        }
    }

    private void Create(long length)
    {
        try
        {
            if (!Directory.Exists(System.IO.Path.GetTempPath()))
            {
                throw new DirectoryNotFoundException("The folder for temporary files does not exist.");
            }

            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(Path)
                : Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, System.IO.Path.GetTempPath(), length);
        }
    }
}
