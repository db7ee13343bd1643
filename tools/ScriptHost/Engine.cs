using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using Microsoft.PowerShell;

namespace ScriptHost;

/// <summary>Opens a runspace that has only what System.Management.Automation itself brings.</summary>
internal static class Engine
{
    private const string ModulePathVariable = "PSModulePath";

    public static Runspace Open(PSHost host)
    {
        // Not CreateDefault: that one loads the assemblies of Utility, Management and others, which are not here.
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
            state.ExecutionPolicy = ExecutionPolicy.Bypass;

        Runspace runspace = RunspaceFactory.CreateRunspace(host, state);
        // The engine's own thread has a far larger stack than Windows gives a process's first one.
        runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        runspace.Open();

        // Opening adds the usual folders, so this comes after it.
        string? modulePath = Environment.GetEnvironmentVariable(ModulePathVariable);
        Environment.SetEnvironmentVariable(ModulePathVariable, WithoutForeignEngineModules(modulePath ?? ""));
        return runspace;
    }

    // A folder that holds the modules of an installed PowerShell is of no use: their assemblies belong to that
    // installation, and loading them here would fail with an error about an assembly instead of "not recognized".
    private static string WithoutForeignEngineModules(string modulePath) =>
        string.Join(
            Path.PathSeparator,
            modulePath
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Where(folder => !Directory.Exists(Path.Combine(folder, "Microsoft.PowerShell.Utility"))));
}
