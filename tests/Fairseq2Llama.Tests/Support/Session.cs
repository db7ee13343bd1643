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

        _runspace = RunspaceFactory.CreateRunspace(state);
        _runspace.Open();
        Location = Repository.Root;
    }

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

    /// <summary>Runs a script that must give exactly one object of a type.</summary>
    public T RunOne<T>(string script) => (T)Assert.Single(Run(script)).BaseObject;

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

    public void Dispose() => _runspace.Dispose();
}
