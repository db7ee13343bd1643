using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>
/// The one exception that this library throws for bad input and for errors of the operating system.
/// Its message says what was found, what was expected and what to do.
/// </summary>
public sealed class CheckpointException : Exception
{
    private readonly ImmutableArray<CheckpointFinding> _several;

    /// <summary>Makes the exception.</summary>
    /// <param name="code">The stable name of what went wrong.</param>
    /// <param name="message">What was found, what was expected, what to do.</param>
    /// <param name="target">The path, tensor or architecture that it is about.</param>
    /// <param name="innerException">What the operating system said, when it was the cause.</param>
    public CheckpointException(CheckpointErrorCode code, string message, string? target = null, Exception? innerException = null)
        : base(PrintableText.Of(message), innerException)
    {
        Code = code;
        Target = target;
    }

    private CheckpointException(CheckpointErrorCode code, string message, string? target, Exception? innerException, ImmutableArray<CheckpointFinding> several)
        : this(code, message, target, innerException) => _several = several;

    /// <summary>The stable name of what went wrong.</summary>
    public CheckpointErrorCode Code { get; }

    /// <summary>The path, tensor or architecture that it is about.</summary>
    public string? Target { get; }

    /// <summary>Everything that is wrong, where it is more than one thing.</summary>
    public ImmutableArray<CheckpointFinding> Findings => _several.IsDefault ? [new CheckpointFinding(FindingSeverity.Error, Code, Message, File: Target)] : _several;

    /// <summary>Makes one error from several findings. Its message lists the first few; its code is that of the first.</summary>
    /// <param name="findings">What was found.</param>
    /// <param name="what">What that means.</param>
    /// <param name="remedy">What to do about it.</param>
    internal static void ThrowIfAny(IEnumerable<CheckpointFinding> findings, string what, string remedy)
    {
        const int Shown = 10;

        ImmutableArray<CheckpointFinding> found = [.. findings];

        if (found.IsEmpty)
        {
            return;
        }

        var shown = string.Join("; ", found.Take(Shown).Select(finding => finding.Message));
        var more = found.Length > Shown ? $"; and {found.Length - Shown} more" : "";
        throw new CheckpointException(found[0].Code, $"{what}: {shown}{more}. {remedy}", found[0].File ?? found[0].Tensor, innerException: null, found);
    }

    /// <summary>The same error with more to say.</summary>
    /// <param name="sentences">What else is known; follows its message.</param>
    public CheckpointException With(string sentences) => new(Code, $"{Message} {sentences}", Target, this, _several);

    /// <summary>A file that contradicts itself.</summary>
    internal static CheckpointException Corrupt(string file, string what) => new(
        CheckpointErrorCode.CheckpointCorrupt,
        $"'{file}' is damaged: {what} Copy or save the file again.",
        file);
}
