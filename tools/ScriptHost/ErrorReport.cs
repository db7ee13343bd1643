using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace ScriptHost;

/// <summary>Shows the error that ended a script the way the engine shows those that did not.</summary>
internal static class ErrorReport
{
    public static void Write(Runspace runspace, ConsoleHostUI ui, ErrorRecord error)
    {
        try
        {
            using PowerShell shell = PowerShell.Create(runspace);
            shell.AddCommand("Out-Default").AddParameter("InputObject", error);
            ui.SendOutputToError(() => shell.Invoke());
        }
        catch (RuntimeException)
        {
            // A script can break the view too; the error itself matters more.
            ui.WriteErrorLine(error.ToString());
        }
    }
}
