using System.Text;
using Fairseq2Llama.Stores.Local;

namespace Fairseq2Llama;

/// <summary>The file that a report goes into.</summary>
public sealed class ReportFile
{
    private readonly WholeFileReplacement _file;

    private ReportFile(WholeFileReplacement file, ReportFormat format)
    {
        _file = file;
        Format = format;
    }

    /// <summary>Its absolute path.</summary>
    public string Path => _file.Path;

    /// <summary>What is written into it.</summary>
    public ReportFormat Format { get; }

    /// <summary>Looks whether a report can be written there. Nothing is.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="format">The format; null for the one that the path's extension tells.</param>
    /// <param name="checkpoint">The checkpoint, no file of which may be replaced.</param>
    /// <param name="force">Whether a file that is there may be replaced.</param>
    /// <exception cref="CheckpointException">It can't, or the extension tells no format.</exception>
    public static ReportFile At(string path, ReportFormat? format, LlamaCheckpoint checkpoint, bool force) => At(path, format, force, checkpoint);

    /// <summary>Looks whether a report about a comparison can be written there. Nothing is.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="format">The format; null for the one that the path's extension tells.</param>
    /// <param name="summary">The comparison. No file of its checkpoints may be replaced.</param>
    /// <param name="force">Whether a file that is there may be replaced.</param>
    /// <exception cref="CheckpointException">It can't, or the extension tells no format.</exception>
    public static ReportFile At(string path, ReportFormat? format, CheckpointComparisonSummary summary, bool force) =>
        At(path, format, force, summary.ReferenceCheckpoint, summary.DifferenceCheckpoint);

    private static ReportFile At(string path, ReportFormat? format, bool force, params ReadOnlySpan<LlamaCheckpoint> checkpoints)
    {
        var file = new ReportFile(new WholeFileReplacement(path, force), format ?? FormatOf(path));
        file._file.RequireNoObstacle([.. checkpoints.ToArray().SelectMany(FilesOf)]);
        return file;
    }

    private static IEnumerable<string> FilesOf(LlamaCheckpoint checkpoint) =>
        checkpoint.Files.Append(checkpoint.ArchitectureFile?.Path).OfType<string>();

    /// <summary>Writes a report, all or nothing, in UTF-8, and makes the folders that are missing above it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Write(CheckpointReport report, CancellationToken cancellationToken = default) => Write(report.ToText(Format), cancellationToken);

    /// <inheritdoc cref="Write(CheckpointReport, CancellationToken)"/>
    public void Write(ComparisonReport report, CancellationToken cancellationToken = default) => Write(report.ToText(Format), cancellationToken);

    private void Write(string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        cancellationToken.ThrowIfCancellationRequested();

        _file.Write(bytes);
    }

    private static ReportFormat FormatOf(string path) => System.IO.Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".HTML" or ".HTM" => ReportFormat.Html,
        ".MD" or ".MARKDOWN" => ReportFormat.Markdown,
        _ => throw new CheckpointException(
            CheckpointErrorCode.ReportFormatRequired,
            $"The name of '{path}' does not tell the format of the report. Use one that ends in .html or .md, or give -Format Html or -Format Markdown.",
            path),
    };
}
