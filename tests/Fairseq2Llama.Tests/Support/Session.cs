using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A PowerShell session of the real engine with the staged module imported, as a user has it.</summary>
internal sealed class Session : IDisposable
{
    private readonly Runspace _runspace;

    public Session()
    {
        var state = InitialSessionState.CreateDefault2();
        state.ImportPSModule(Repository.StagedModule);

        _runspace = RunspaceFactory.CreateRunspace(Host, state);
        _runspace.Open();
        Location = Repository.Root;
    }

    /// <summary>What shows its views and confirms for it.</summary>
    public RecordingHost Host { get; } = new();

    public string Location
    {
        get => _runspace.SessionStateProxy.Path.CurrentFileSystemLocation.Path;
        set => _runspace.SessionStateProxy.Path.SetLocation(WildcardPattern.Escape(value));
    }

    /// <summary>Makes a variable for the scripts that follow.</summary>
    public object this[string variable]
    {
        set => _runspace.SessionStateProxy.SetVariable(variable, value);
    }

    /// <summary>A pipeline to be run, for tests that stop it or look at its streams.</summary>
    public PowerShell Pipeline(string script)
    {
        var pipeline = PowerShell.Create();
        pipeline.Runspace = _runspace;
        return pipeline.AddScript(script);
    }

    /// <summary>Runs a script that must not report errors.</summary>
    public IReadOnlyList<PSObject> Run(string script)
    {
        using var pipeline = Pipeline(script);
        var output = pipeline.Invoke();
        Assert.Empty(pipeline.Streams.Error);
        return output;
    }

    /// <summary>Runs a script that must not report errors and gives objects of one type.</summary>
    public T[] Run<T>(string script) => [.. Run(script).Select(item => Assert.IsType<T>(item.BaseObject))];

    /// <summary>Runs a script that must give exactly one object of a type.</summary>
    public T RunOne<T>(string script) => Assert.Single(Run<T>(script));

    /// <summary>Runs a script that may report errors, none of which ends it.</summary>
    public Outcome RunOn(string script)
    {
        using var pipeline = Pipeline(script);
        var output = pipeline.Invoke();
        return new Outcome(
            output,
            [.. pipeline.Streams.Error],
            [.. pipeline.Streams.Warning.Select(record => record.Message)],
            [.. pipeline.Streams.Verbose.Select(record => record.Message)],
            [.. pipeline.Streams.Progress]);
    }

    /// <summary>Runs a script that must report exactly one error, terminating or not.</summary>
    public ErrorRecord RunForError(string script)
    {
        using var pipeline = Pipeline(script);

        try
        {
            pipeline.Invoke();
        }
        catch (RuntimeException e)
        {
            return e.ErrorRecord;
        }

        return Assert.Single(pipeline.Streams.Error);
    }

    /// <summary>Runs a script that must report exactly one error of ours.</summary>
    /// <param name="code">Which; it is the first part of the FullyQualifiedErrorId.</param>
    /// <param name="script">The script.</param>
    /// <param name="words">What the message must contain.</param>
    public ErrorRecord RunForError(CheckpointErrorCode code, string script, params ReadOnlySpan<string> words)
    {
        var error = RunForError(script);
        ErrorAssert.Is(code, error, words);
        return error;
    }

    /// <summary>Runs a command that must be ended by an error: one that ends no more than its statement goes by try only.</summary>
    public ErrorRecord RunForTerminatingError(string command) =>
        Assert.IsType<ErrorRecord>(Assert.Single(Run($"try {{ $null = {command} }} catch {{ $_ }}")).BaseObject);

    /// <summary>What Tab offers at the end of a line.</summary>
    public string[] Complete(string line)
    {
        using var pipeline = PowerShell.Create();
        pipeline.Runspace = _runspace;
        return [.. CommandCompletion.CompleteInput(line, line.Length, null, pipeline).CompletionMatches.Select(match => match.CompletionText)];
    }

    public void Dispose() => _runspace.Dispose();
}

/// <summary>Everything that a script has given.</summary>
internal sealed record Outcome(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<ProgressRecord> Progress)
{
    /// <summary>The output as strings, which is the name of each of our objects.</summary>
    public string[] Names => [.. Output.Select(item => item.ToString())];

    /// <summary>The ids of the errors without the name of the command that gave them.</summary>
    public string[] ErrorIds => [.. Errors.Select(error => error.FullyQualifiedErrorId.Split(',')[0])];
}
