using Fairseq2Llama.Formats;

namespace Fairseq2Llama;

/// <summary>Adds to an error what the reader of the format can't know.</summary>
public static class ReadErrors
{
    /// <summary>Adds that an export to the path has not finished, or which command reads the path.</summary>
    /// <param name="error">The error from reading it.</param>
    /// <param name="path">The absolute path that was read.</param>
    public static CheckpointException Explain(CheckpointException error, string path) =>
        ExportLeftovers.Explain(path) is { } explanation ? error.With(explanation) : CheckpointFormats.Explain(error, path);
}
