using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Asks the session in which somebody presses Tab.</summary>
internal static class CompletionRunspace
{
    /// <summary>What a script gives of a type; nothing where it fails, since Tab must not disturb who types.</summary>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    public static IReadOnlyList<T> Invoke<T>(string script, params object?[] arguments)
    {
        using var pipeline = PowerShell.Create(RunspaceMode.CurrentRunspace);

        try
        {
            pipeline.AddScript(script, useLocalScope: true).AddParameters(arguments);
            return [.. pipeline.Invoke().Select(item => item?.BaseObject).OfType<T>()];
        }
        catch (RuntimeException)
        {
            return [];
        }
    }
}
