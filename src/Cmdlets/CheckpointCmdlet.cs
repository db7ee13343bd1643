using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>The common behavior of all commands: they stop on Ctrl+C, and after an error for one item, they continue with the next.</summary>
[SuppressMessage(
    "Reliability", "CA1001", Justification = "Stopping comes from another thread at any time, even late; without a timer there is nothing to release.")]
public abstract class CheckpointCmdlet : PSCmdlet
{
    private readonly CancellationTokenSource _stop = new();
    private bool _hasWork;

    /// <summary>Cancelled when the pipeline is stopped, from whichever thread does that.</summary>
    protected CancellationToken Stop => _stop.Token;

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Writes a warning, without text that a terminal or the agent of a pipeline would obey.</summary>
    protected new void WriteWarning(string text) => base.WriteWarning(Display.Text(text));

    /// <summary>Writes a verbose message, without text that a terminal or the agent of a pipeline would obey.</summary>
    protected new void WriteVerbose(string text) => base.WriteVerbose(Display.Text(text));

    /// <summary>Writes a debug message, without text that a terminal or the agent of a pipeline would obey.</summary>
    protected new void WriteDebug(string text) => base.WriteDebug(Display.Text(text));

    /// <summary>Does the work for one item; bad input becomes a non-terminating error.</summary>
    /// <param name="work">The work.</param>
    protected void PerItem(Action work)
    {
        _hasWork = true;

        try
        {
            work();
        }
        catch (CheckpointException e) when (e.Code is CheckpointErrorCode.LibTorchUnavailable or CheckpointErrorCode.TokenizerNotFound)
        {
            // So will all other items.
            ThrowTerminatingError(ErrorRecords.From(e));
        }
        catch (CheckpointException e)
        {
            WriteError(ErrorRecords.From(e));
        }
        catch (WildcardPatternException e)
        {
            WriteError(e.ErrorRecord);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Warns at the end of a command whose pipeline was empty: silence would look like success.</summary>
    /// <param name="verb">What the command does: "test".</param>
    private protected void WarnIfNothingWasPiped(string verb)
    {
        if (MyInvocation.ExpectingInput && !_hasWork)
        {
            WriteWarning($"There is nothing to {verb}: the pipeline is empty.");
        }
    }

    /// <summary>Does the work for each path that arguments stand for.</summary>
    /// <param name="given">Paths of PowerShell.</param>
    /// <param name="isLiteral">Whether they are taken as they are; otherwise they may have wildcards.</param>
    /// <param name="work">Gets an absolute path of the operating system.</param>
    protected void PerPath(IEnumerable<string> given, bool isLiteral, Action<string> work)
    {
        foreach (var path in given)
        {
            PerItem(() =>
            {
                foreach (var resolved in this.ResolvePath(path, isLiteral))
                {
                    PerItem(() => work(resolved));
                }
            });
        }
    }

    /// <summary>Does the work for each checkpoint that arguments stand for.</summary>
    /// <param name="given">Checkpoints, or paths, which are read.</param>
    /// <param name="work">The work.</param>
    private protected void PerCheckpoint(IEnumerable<CheckpointArgument> given, Action<LlamaCheckpoint> work)
    {
        foreach (var argument in given)
        {
            if (argument.Checkpoint is { } checkpoint)
            {
                PerItem(() => work(checkpoint));
            }
            else
            {
                PerItem(() =>
                {
                    foreach (var path in this.ResolveArgument(argument))
                    {
                        PerItem(() => work(Read(path)));
                    }
                });
            }
        }
    }

    /// <summary>Gets the one checkpoint that an argument stands for.</summary>
    /// <exception cref="CheckpointException">There is none, or there are several, or it can't be read.</exception>
    private protected LlamaCheckpoint Get(CheckpointArgument argument) =>
        argument.Checkpoint ?? (this.ResolveArgument(argument).ToArray() is [var path]
            ? Read(path)
            : throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"Several files and folders match '{argument.Path}'. Give the path of one checkpoint.", argument.Path));

    /// <summary>Reads a checkpoint, and writes its warnings.</summary>
    /// <param name="path">An absolute path of the operating system.</param>
    /// <param name="read">The reader; by default, the one for any format.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected LlamaCheckpoint Read(string path, Func<string, LlamaCheckpoint>? read = null)
    {
        LlamaCheckpoint checkpoint;

        try
        {
            checkpoint = read is null ? CheckpointReader.Read(path, log: WriteVerbose, cancellationToken: Stop) : read(path);
        }
        catch (CheckpointException e)
        {
            throw ReadErrors.Explain(e, path);
        }

        foreach (var warning in checkpoint.Warnings)
        {
            WriteWarning(warning);
        }

        var told = checkpoint.Architecture is { } architecture
            ? $"the file beside them describes the architecture {Display.Architecture(architecture)}."
            : "no file beside them describes the architecture.";

        WriteVerbose($"'{checkpoint.Path}': {checkpoint.Tensors.Length} tensors in {string.Join(", ", checkpoint.Files)}; {told}");
        return checkpoint;
    }

    /// <summary>Gets what an argument stands for; a wrong argument ends the command.</summary>
    /// <param name="get">Gets it.</param>
    protected T FromArgument<T>(Func<T> get)
    {
        try
        {
            return get();
        }
        catch (CheckpointException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
            throw;
        }
    }
}
