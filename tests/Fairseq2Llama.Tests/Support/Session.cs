using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// A PowerShell session of the real engine with the staged module imported, as a user has it. It is new to whoever makes it: to open an engine
/// and import the module takes longer than most tests, so those that have gone back to how they were are used again.
/// </summary>
internal sealed class Session : IDisposable
{
    private static readonly ConcurrentBag<Engine> Idle = [];

    private readonly Engine _engine = Idle.TryTake(out var engine) ? engine : new Engine();

    public Session() => Location = Repository.Root;

    /// <summary>What shows its views and confirms for it.</summary>
    public RecordingHost Host => _engine.Host;

    private Runspace Runspace => _engine.Runspace;

    public string Location
    {
        get => Runspace.SessionStateProxy.Path.CurrentFileSystemLocation.Path;
        set => Runspace.SessionStateProxy.Path.SetLocation(WildcardPattern.Escape(value));
    }

    /// <summary>Makes a variable for the scripts that follow.</summary>
    public object this[string variable]
    {
        set => Runspace.SessionStateProxy.SetVariable(variable, value);
    }

    /// <summary>A pipeline to be run, for tests that stop it or look at its streams.</summary>
    public PowerShell Pipeline(string script)
    {
        var pipeline = PowerShell.Create();
        pipeline.Runspace = Runspace;
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
            [.. pipeline.Streams.Debug.Select(record => record.Message)],
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
        pipeline.Runspace = Runspace;
        return [.. CommandCompletion.CompleteInput(line, line.Length, null, pipeline).CompletionMatches.Select(match => match.CompletionText)];
    }

    public void Dispose()
    {
        if (_engine.TryReset())
        {
            Idle.Add(_engine);
        }
        else
        {
            _engine.Dispose();
        }
    }

    private sealed class Engine : IDisposable
    {
        /// <summary>What resetting a runspace leaves as it is.</summary>
        private const string WhatStays =
            """
            (Get-Module).Path
            'function:', 'alias:' | ForEach-Object { $ExecutionContext.InvokeProvider.ChildItem.GetNames($_, 'ReturnAllContainers', $false) }
            try { $null = $nowhere; 'lax' } catch { 'strict' }
            """;

        private readonly string _initial;

        public Engine()
        {
            var state = InitialSessionState.CreateDefault2();
            state.ImportPSModule(Repository.StagedModule);

            // Only Windows asks for one, and refuses views and scripts by default.
            if (OperatingSystem.IsWindows())
            {
                state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
            }

            Runspace = RunspaceFactory.CreateRunspace(Host, state);
            Runspace.Open();
            _initial = Describe();
        }

        public RecordingHost Host { get; } = new();

        public Runspace Runspace { get; }

        /// <summary>Forgets what was done in it.</summary>
        /// <returns>Whether it could; it can't forget functions, aliases, modules and strictness.</returns>
        public bool TryReset()
        {
            if (Runspace.RunspaceAvailability != RunspaceAvailability.Available || Describe() != _initial)
            {
                return false;
            }

            Host.Reset();
            Runspace.ResetRunspaceState();
            return true;
        }

        public void Dispose() => Runspace.Dispose();

        private string Describe()
        {
            using var pipeline = PowerShell.Create(Runspace);
            return string.Join('\n', pipeline.AddScript(WhatStays).Invoke());
        }
    }
}

/// <summary>Everything that a script has given.</summary>
internal sealed record Outcome(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<string> Debug,
    IReadOnlyList<ProgressRecord> Progress)
{
    /// <summary>The output as strings, which is the name of each of our objects.</summary>
    public string[] Names => [.. Output.Select(item => item.ToString())];

    /// <summary>The ids of the errors without the name of the command that gave them.</summary>
    public string[] ErrorIds => [.. Errors.Select(error => error.FullyQualifiedErrorId.Split(',')[0])];
}
