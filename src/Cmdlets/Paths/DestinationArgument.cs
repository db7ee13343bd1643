using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// A destination as an argument: a path, or a script block that gives one for each checkpoint. It is the command that evaluates the block, because the
/// engine does so only for what is piped, and not for each of the checkpoints that a wildcard finds.
/// </summary>
public sealed class DestinationArgument
{
    private readonly ScriptBlock? _script;
    private readonly string _text;

    /// <summary>A script block that finds the checkpoint, or what else is written about, in <c>$_</c>; or the path itself.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public DestinationArgument(object given)
    {
        _script = given as ScriptBlock;
        _text = $"{given}";

        if (_text.Length == 0)
        {
            throw new ArgumentException("The path of a destination can't be empty.");
        }
    }

    /// <summary>The argument, as text.</summary>
    public override string ToString() => _text;

    /// <summary>Gets the path, which is one of PowerShell.</summary>
    /// <param name="item">The value of <c>$_</c> in a script block.</param>
    /// <exception cref="CheckpointException">The script block fails, or does not return one path.</exception>
    internal string Get(object item)
    {
        if (_script is null)
        {
            return _text;
        }

        try
        {
            return _script.InvokeWithContext(null, [new PSVariable("_", item)]) is [{ } only] && only.ToString() is { Length: > 0 } path
                ? path
                : throw new CheckpointException(CheckpointErrorCode.WriteFailed, "The script block for -DestinationPath did not return one path.", _text);
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"The script block for -DestinationPath failed: {e.Message}", _text, e);
        }
    }
}
