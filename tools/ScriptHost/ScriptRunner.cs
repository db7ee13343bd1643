using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace ScriptHost;

/// <summary>Runs a script or command text in a fresh runspace and says which exit code it earned.</summary>
internal sealed class ScriptRunner
{
    private const int Failure = 1;
    private const int Interrupted = 130; // 128 + SIGINT, as a shell reports it

    private readonly ConsoleHost _host;
    private readonly Interruption _interruption;
    private readonly Runspace _runspace;

    private ScriptRunner(ConsoleHost host, Interruption interruption, Runspace runspace)
    {
        _host = host;
        _interruption = interruption;
        _runspace = runspace;
    }

    public static int Run(CommandLine commandLine)
    {
        using Interruption interruption = new();
        ConsoleHost host = new(interruption.Token);
        using Runspace runspace = Engine.Open(host);
        try
        {
            return new ScriptRunner(host, interruption, runspace).Invoke(commandLine);
        }
        finally
        {
            host.ConsoleUI.ClearProgress();
        }
    }

    private int Invoke(CommandLine commandLine)
    {
        bool failed = false;
        try
        {
            using PowerShell shell = PowerShell.Create(_runspace);
            if (commandLine.ScriptPath is string path)
                shell.AddCommand(ScriptFile.Find(_runspace, path));
            else
                shell.AddScript(commandLine.CommandText);

            foreach (CommandParameter argument in commandLine.Arguments)
                shell.Commands.Commands[0].Parameters.Add(argument);

            ShowOutputOf(shell);
            failed = commandLine.CommandText is not null && _runspace.SessionStateProxy.GetVariable("?") is false;
        }
        catch (PipelineStoppedException)
        {
            failed = true;
        }
        catch (RuntimeException e)
        {
            ErrorReport.Write(_runspace, _host.ConsoleUI, e.ErrorRecord);
            failed = true;
        }

        // A stopped pipeline can also just end.
        if (_interruption.Token.IsCancellationRequested)
            return Interrupted;

        return _host.ExitCode ?? (failed ? Failure : 0);
    }

    private void ShowOutputOf(PowerShell shell)
    {
        shell.AddCommand("Out-Default");
        // Then Out-Default shows errors too, in their order and in the engine's view, and native programs keep the real
        // standard error. (MergeMyResults does nothing for a command that was not given by its name.)
        shell.Commands.Commands[1].MergeUnclaimedPreviousCommandResults = PipelineResultTypes.Error | PipelineResultTypes.Output;
        DiscardCopies(shell.Streams);

        using CancellationTokenRegistration stop = _interruption.Token.Register(() => shell.BeginStop(null, null));
        // Without a place in the history a command does not set $?.
        shell.Invoke(null, new PSInvocationSettings { AddToHistory = true });
    }

    // The host has shown these records already; a long run should not also keep them all in memory.
    private static void DiscardCopies(PSDataStreams streams)
    {
        streams.Progress.DataAdded += (_, _) => streams.Progress.Clear();
        streams.Verbose.DataAdded += (_, _) => streams.Verbose.Clear();
        streams.Debug.DataAdded += (_, _) => streams.Debug.Clear();
        streams.Warning.DataAdded += (_, _) => streams.Warning.Clear();
        streams.Information.DataAdded += (_, _) => streams.Information.Clear();
    }
}
