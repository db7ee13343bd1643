using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Turns PowerShell paths into those of the operating system: drives, ~ and the session's location are PowerShell's, the process's
/// current directory is not.
/// </summary>
internal static class PathResolution
{
    private const string FileSystem = "FileSystem";

    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveLiteralPath(this PSCmdlet cmdlet, string path)
    {
        ProviderInfo provider;
        string resolved;

        try
        {
            resolved = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out provider, out _);
        }
        catch (Exception e) when (e is SessionStateException or PSInvalidOperationException or NotSupportedException)
        {
            throw NotFound(path, e.Message, e);
        }

        RequireFileSystem(path, provider);
        return resolved;
    }

    /// <exception cref="CheckpointException">Nothing matches.</exception>
    public static IReadOnlyCollection<string> ResolveWildcards(this PSCmdlet cmdlet, string path)
    {
        ProviderInfo provider;
        Collection<string> resolved;

        try
        {
            resolved = cmdlet.SessionState.Path.GetResolvedProviderPathFromPSPath(path, out provider);
        }
        catch (Exception e) when (e is SessionStateException or PSInvalidOperationException or NotSupportedException or WildcardPatternException)
        {
            throw NotFound(path, ExplainNoMatch(cmdlet, path) ?? e.Message, e);
        }

        RequireFileSystem(path, provider);
        return resolved.Count > 0 ? resolved : throw NotFound(path, ExplainNoMatch(cmdlet, path) ?? $"Nothing matches '{path}'.");
    }

    /// <summary>A folder named run[1] is there, but as a wildcard run[1] means run1.</summary>
    private static string? ExplainNoMatch(PSCmdlet cmdlet, string path) =>
        WildcardPattern.ContainsWildcardCharacters(path) && cmdlet.InvokeProvider.Item.Exists(path, force: true, literalPath: true)
            ? $"Nothing matches '{path}' as a wildcard, though there is an item of that very name. Use -LiteralPath."
            : null;

    private static void RequireFileSystem(string path, ProviderInfo provider)
    {
        if (provider.Name != FileSystem)
        {
            throw NotFound(path, $"'{path}' is a path of the {provider.Name} provider. Checkpoints are files; give a path of the file system.");
        }
    }

    private static CheckpointException NotFound(string path, string message, Exception? cause = null) =>
        new(CheckpointErrorCode.CheckpointNotFound, message, path, cause);
}
