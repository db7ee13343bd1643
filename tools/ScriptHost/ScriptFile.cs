using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace ScriptHost;

/// <summary>Finds the engine's own description of a script file.</summary>
internal static class ScriptFile
{
    private static readonly ScriptBlock Nothing = ScriptBlock.Create("");

    /// <remarks>
    /// A command given as such, unlike one given by its name, passes on the exit code of an exit statement. GetCommand
    /// would describe it too, but takes the path for a wildcard; only the look-up before a run takes it literally.
    /// </remarks>
    public static CommandInfo Find(Runspace runspace, string path)
    {
        CommandInvocationIntrinsics commands = runspace.SessionStateProxy.InvokeCommand;
        CommandInfo? script = null;
        commands.PostCommandLookupAction = (_, found) =>
        {
            script = found.Command;
            found.CommandScriptBlock = Nothing;
        };
        try
        {
            using PowerShell lookup = PowerShell.Create(runspace);
            lookup.AddCommand(path).Invoke();
        }
        finally
        {
            commands.PostCommandLookupAction = null;
        }

        return script ?? throw new CommandNotFoundException($"The engine does not take '{path}' for a script.");
    }
}
