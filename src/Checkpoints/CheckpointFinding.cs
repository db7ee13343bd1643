namespace Fairseq2Llama;

/// <summary>Something noteworthy about a checkpoint.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Code">Its stable name.</param>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Tensor">The tensor that it is about, if it is about one.</param>
/// <param name="File">The file that it is about, if it is about one.</param>
public sealed record CheckpointFinding(
    FindingSeverity Severity, CheckpointErrorCode Code, string Message, string? Tensor = null, string? File = null)
{
    /// <summary>What was found and what was expected.</summary>
    public string Message { get; init; } = PrintableText.Of(Message);

    /// <summary>The message.</summary>
    public override string ToString() => Message;
}

/// <summary>How bad a <see cref="CheckpointFinding"/> is.</summary>
public enum FindingSeverity
{
    /// <summary>It is good to know.</summary>
    Information,

    /// <summary>It can be converted, and may still surprise.</summary>
    Warning,

    /// <summary>It can't be converted as it is, or is of no use: its weights are NaN.</summary>
    Error,
}
