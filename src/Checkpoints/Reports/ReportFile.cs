using System.Text;
using Fairseq2Llama.Native;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama;

/// <summary>The file that a report goes into.</summary>
public sealed class ReportFile
{
    private readonly bool _force;

    private ReportFile(string path, ReportFormat format, bool force)
    {
        Path = path;
        Format = format;
        _force = force;
    }

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>What is written into it.</summary>
    public ReportFormat Format { get; }

    /// <summary>Looks whether a report can be written there. Nothing is.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="format">The format; null for the one that the path's extension tells.</param>
    /// <param name="checkpoint">The checkpoint, no file of which may be replaced.</param>
    /// <param name="force">Whether a file that is there may be replaced.</param>
    /// <exception cref="CheckpointException">It can't, or the extension tells no format.</exception>
    public static ReportFile At(string path, ReportFormat? format, LlamaCheckpoint checkpoint, bool force)
    {
        var file = new ReportFile(path, format ?? FormatOf(path), force);
        file.RequireNoObstacle(checkpoint);
        return file;
    }

    /// <summary>Writes a report, all or nothing, in UTF-8, and makes the folders that are missing above it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Write(CheckpointReport report, CancellationToken cancellationToken = default)
    {
        var bytes = Encoding.UTF8.GetBytes(report.ToText(Format));
        cancellationToken.ThrowIfCancellationRequested();

        // What a link leads to is replaced, and not the link, as by Set-Content.
        var path = RealPath.Of(Path);
        var folders = new NewFolders();

        try
        {
            folders.Create(System.IO.Path.GetDirectoryName(path));
            WholeFileReplacement.Write(path, bytes, _force);
        }
        catch (Exception e)
        {
            folders.Discard();

            if (e is IOException && !_force && File.Exists(path))
            {
                throw Exists();
            }

            if (e is IOException or UnauthorizedAccessException)
            {
                throw WriteErrors.Translate(e, Path, bytes.Length);
            }

            throw;
        }
    }

    private static ReportFormat FormatOf(string path) => System.IO.Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".HTML" or ".HTM" => ReportFormat.Html,
        ".MD" or ".MARKDOWN" => ReportFormat.Markdown,
        _ => throw new CheckpointException(
            CheckpointErrorCode.ReportFormatRequired,
            $"'{path}' does not tell what to write: its name ends neither with .html nor with .md. Give it one that does, or say"
                + " -Format Html or -Format Markdown.",
            path),
    };

    private void RequireNoObstacle(LlamaCheckpoint checkpoint)
    {
        if (Directory.Exists(Path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{Path}' is a folder. Give the path of a file, such as '{System.IO.Path.Combine(Path, "report.html")}'.",
                Path);
        }

        for (var folder = ParentOf(Path); folder is not null && !Directory.Exists(folder); folder = ParentOf(folder))
        {
            if (File.Exists(folder))
            {
                throw new CheckpointException(
                    CheckpointErrorCode.OutputExists, $"'{folder}' is a file. Choose a folder for the report.", Path);
            }
        }

        var own = checkpoint.Files.Append(checkpoint.ArchitectureFile?.Path).OfType<string>().Select(RealPath.IdentityOf);

        if (own.Contains(RealPath.IdentityOf(Path), RealPath.Comparer))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{Path}' is a file of the checkpoint itself. Choose another one for the report.", Path);
        }

        if (!_force && File.Exists(Path))
        {
            throw Exists();
        }

        if (IsForeignLink())
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{Path}' is a link that another user has made. Remove it, or choose another file for the report.", Path);
        }

        if (IsSpecial())
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{Path}' is a device, a pipe or a socket, and no file. Choose a file for the report.", Path);
        }
    }

    /// <summary>Who may write into the folder could let the report replace a file elsewhere.</summary>
    private bool IsForeignLink()
    {
        try
        {
            return !OperatingSystem.IsWindows() && new FileInfo(Path).LinkTarget is not null && FileStatus.Find(Path, followLink: false) is { IsOurs: false };
        }
        catch (IOException e)
        {
            throw WriteErrors.Translate(e, Path, 0);
        }
    }

    /// <summary>Devices, pipes and sockets are no files that could be replaced: without /dev/null a system stands still.</summary>
    private bool IsSpecial()
    {
        try
        {
            return !OperatingSystem.IsWindows() && FileStatus.Find(Path, followLink: true) is { IsRegularFile: false };
        }
        catch (IOException e)
        {
            throw WriteErrors.Translate(e, Path, 0);
        }
    }

    private static string? ParentOf(string path) => System.IO.Path.GetDirectoryName(path);

    private CheckpointException Exists() => new(
        CheckpointErrorCode.OutputExists, $"'{Path}' is there already. Choose another file, or replace it with -Force.", Path);
}
