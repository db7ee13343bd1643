using Fairseq2Llama.Formats;

namespace Fairseq2Llama;

/// <summary>Adds to an error what the reader of the format can't know.</summary>
public static class ReadErrors
{
    /// <summary>Adds that an export to the address has not finished, or which command reads it, or which file may have been meant.</summary>
    /// <param name="error">The error from reading it.</param>
    /// <param name="address">The address that was read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static CheckpointException Explain(CheckpointException error, CheckpointAddress address, CancellationToken cancellationToken = default) =>
        address.IsRemote && error.Code == CheckpointErrorCode.CheckpointNotFound && address.Text.AsSpan().IndexOfAny("*?[") >= 0
            ? error.With("In a store, wildcards find nothing: give the whole address.")
            : ExportLeftovers.Explain(address, cancellationToken) is { } explanation ? error.With(explanation)
            : CheckpointFormats.Explain(error, address, cancellationToken);
}
