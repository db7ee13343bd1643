using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// Writes a small file, all or nothing: first beside its place, then by one rename. The name of the temporary file is
/// always the same, so that the next one removes what a killed one has left.
/// </summary>
/// <param name="path">An absolute path.</param>
/// <param name="replace">Whether a file that is there may be replaced.</param>
internal sealed class WholeFileReplacement(string path, bool replace)
{
    public string Path => path;

    /// <summary>Looks whether it can be written. Nothing is.</summary>
    /// <param name="inputs">The paths of files that may not be replaced.</param>
    /// <exception cref="CheckpointException">It can't.</exception>
    public void RequireNoObstacle(IEnumerable<string> inputs)
    {
        if (Directory.Exists(path))
        {
            throw InTheWay($"'{path}' is a folder. Give the path of a file, such as '{System.IO.Path.Combine(path, "report.html")}'.");
        }

        for (var folder = ParentOf(path); folder is not null && !Directory.Exists(folder); folder = ParentOf(folder))
        {
            if (File.Exists(folder))
            {
                throw InTheWay($"'{folder}' is a file. Choose another folder.");
            }
        }

        if (inputs.Select(RealPath.IdentityOf).Contains(RealPath.IdentityOf(path), RealPath.Comparer))
        {
            throw InTheWay($"'{path}' is a file of the checkpoint itself. Choose another file.");
        }

        if (!replace && File.Exists(path))
        {
            throw Exists();
        }

        WindowsNames.Require(path, []);

        if (OperatingSystem.IsWindows() && new FileInfo(RealPath.Of(path)) is { Exists: true, IsReadOnly: true })
        {
            throw InTheWay($"'{path}' is read-only. Allow changes to it, or choose another file.");
        }

        if (IsForeignLink())
        {
            throw InTheWay($"'{path}' is a link of another user. Remove it, or choose another file.");
        }

        if (IsSpecial())
        {
            throw InTheWay($"'{path}' is a device, a pipe or a socket, not a file. Choose a file.");
        }
    }

    /// <summary>Writes it, and makes the folders that are missing above it.</summary>
    /// <param name="content">All of its content.</param>
    /// <exception cref="CheckpointException">It can't be written, or one is there that may not be replaced.</exception>
    public void Write(ReadOnlySpan<byte> content)
    {
        // What a link leads to is replaced, and not the link, as by Set-Content.
        var target = RealPath.Of(path);
        var folders = new NewFolders();

        try
        {
            folders.Create(ParentOf(target));
            WriteBeside(target, content);
        }
        catch (Exception e)
        {
            folders.Discard();

            if (e is IOException && !replace && File.Exists(target))
            {
                throw Exists();
            }

            if (e is IOException or UnauthorizedAccessException)
            {
                throw WriteErrors.Translate(e, path, content.Length);
            }

            throw;
        }
    }

    private void WriteBeside(string target, ReadOnlySpan<byte> content)
    {
        var temporary = StagingPath.Beside(target);

        // Outside of the cleanup: a file that another process is writing right now is not ours to delete.
        RemoveLeftover(temporary);
        var file = OutputFile.Create(temporary);

        try
        {
            using (file)
            {
                file.Write(content, 0);
                file.Complete();
            }

            LocalChange.Move(temporary, target, replace);
        }
        catch
        {
            Discard.File(temporary);
            throw;
        }
    }

    /// <summary>An existing file is never written to: somebody else may have put it there, for this user to write to.</summary>
    private static void RemoveLeftover(string temporary)
    {
        using (LockFile.TryOpen(temporary) ?? throw new IOException($"'{temporary}' is being written by another process."))
        {
            if (!OperatingSystem.IsWindows())
            {
                LocalChange.Delete(temporary);
            }
        }
    }

    /// <summary>Anybody who may write into the folder could make this replace a file elsewhere.</summary>
    private bool IsForeignLink() => Ask(() => new FileInfo(path).LinkTarget is not null && FileStatus.Find(path, followLink: false) is { IsOurs: false });

    /// <summary>Devices, pipes and sockets must not be replaced: without /dev/null, a system stops working.</summary>
    private bool IsSpecial() => Ask(() => FileStatus.Find(path, followLink: true) is { IsRegularFile: false });

    private bool Ask(Func<bool> question)
    {
        try
        {
            return !OperatingSystem.IsWindows() && question();
        }
        catch (IOException e)
        {
            throw WriteErrors.Translate(e, path, 0);
        }
    }

    private static string? ParentOf(string path) => System.IO.Path.GetDirectoryName(path);

    private CheckpointException Exists() => InTheWay($"'{path}' already exists. Choose another file, or replace it with -Force.");

    private CheckpointException InTheWay(string message) => new(CheckpointErrorCode.OutputExists, message, path);
}
