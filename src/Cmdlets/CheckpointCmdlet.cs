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

    /// <summary>Whether an item could not be worked on.</summary>
    private protected bool HasFailed { get; private set; }

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
            HasFailed = true;
            WriteError(ErrorRecords.From(e));
        }
        catch (WildcardPatternException e)
        {
            HasFailed = true;
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
