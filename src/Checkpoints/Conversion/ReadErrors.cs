using Fairseq2Llama.Formats;

namespace Fairseq2Llama;

/// <summary>Says more of what can't be read than its reader can know.</summary>
public static class ReadErrors
{
    /// <summary>Adds that an export to the path has not finished, or which command reads what lies there.</summary>
    /// <param name="error">What reading it has given.</param>
    /// <param name="path">The absolute path that was read.</param>
    public static CheckpointException Explain(CheckpointException error, string path) =>
        ExportLeftovers.Explain(path) is { } explanation ? error.With(explanation) : CheckpointFormats.Explain(error, path);
}
