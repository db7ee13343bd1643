using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Asks the session in which somebody presses Tab.</summary>
internal static class CompletionRunspace
{
    /// <summary>
    /// The results of a script that have a type; none if it fails, since Tab must not disturb the user. $Error stays unchanged, too: it is the next
    /// thing that they look at.
    /// </summary>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    public static IReadOnlyList<T> Invoke<T>(string script, params object?[] arguments)
    {
        var errors = Run(", $global:Error") is [{ BaseObject: ArrayList list }] ? list : [];
        var before = errors.ToArray();

        try
        {
            return [.. Run(script, arguments).Select(item => item?.BaseObject).OfType<T>()];
        }
        catch (RuntimeException)
        {
            return [];
        }
        finally
        {
            errors.Clear();
            errors.AddRange(before);
        }
    }

    private static Collection<PSObject?> Run(string script, params object?[] arguments)
    {
        using var pipeline = PowerShell.Create(RunspaceMode.CurrentRunspace);
        return pipeline.AddScript(script, useLocalScope: true).AddParameters(arguments).Invoke();
    }
}
