using System.Collections.ObjectModel;
using System.Management.Automation;
using DriveNotFoundException = System.Management.Automation.DriveNotFoundException;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Turns PowerShell paths into those of the operating system: drives, ~ and the session's location are PowerShell's, the process's
/// current directory is not.
/// </summary>
internal static class PathResolution
{
    private const string FileSystem = "FileSystem";

    private static string ResolveLiteralPath(this PSCmdlet cmdlet, string path) =>
        Resolve(cmdlet, path, CheckpointErrorCode.CheckpointNotFound);

    /// <summary>
    /// Paths of one kind or the other, as a command's -Path and -LiteralPath have them. What exists by that very name is used as is: a folder may be called
    /// run[1].
    /// </summary>
    /// <exception cref="CheckpointException">Nothing matches, or it is on no drive of the file system.</exception>
    public static IReadOnlyCollection<string> ResolvePath(this PSCmdlet cmdlet, string path, bool isLiteral) =>
        isLiteral || cmdlet.Exists(path) ? [cmdlet.ResolveLiteralPath(path)] : cmdlet.ResolveWildcards(path);

    /// <summary>A folder to write into, which need not exist.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveDestination(this PSCmdlet cmdlet, string path) =>
        System.IO.Path.TrimEndingDirectorySeparator(Resolve(cmdlet, path, CheckpointErrorCode.WriteFailed));

    /// <summary>A folder or file of a tokenizer.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveTokenizer(this PSCmdlet cmdlet, string path) => Resolve(cmdlet, path, CheckpointErrorCode.TokenizerNotFound);

    /// <summary>A file that describes a model, or its folder.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveConfig(this PSCmdlet cmdlet, string path) => cmdlet.ResolveLiteralPath(path);

    /// <summary>The folder or file of an adapter.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveAdapter(this PSCmdlet cmdlet, string path) => Resolve(cmdlet, path, CheckpointErrorCode.AdapterNotFound);

    /// <summary>A file of a key or of certificates.</summary>
    /// <exception cref="CheckpointException">It is on no drive of the file system.</exception>
    public static string ResolveKey(this PSCmdlet cmdlet, string path) => Resolve(cmdlet, path, CheckpointErrorCode.SigningKeyInvalid);

    private static Collection<string> ResolveWildcards(this PSCmdlet cmdlet, string path)
    {
        ProviderInfo provider;
        Collection<string> resolved;

        try
        {
            resolved = cmdlet.SessionState.Path.GetResolvedProviderPathFromPSPath(path, out provider);
        }
        catch (DriveNotFoundException e) when (AddressLikeStart(path) is { } start)
        {
            throw Unknown(start, CheckpointErrorCode.CheckpointNotFound, e);
        }
        catch (Exception e) when (e is SessionStateException or PSInvalidOperationException or PSArgumentException or NotSupportedException or WildcardPatternException)
        {
            var error = Wrong(CheckpointErrorCode.CheckpointNotFound, path, e.Message, e);
            throw WildcardPattern.ContainsWildcardCharacters(path) ? error : ReadErrors.Explain(error, cmdlet.ResolveLiteralPath(path));
        }

        RequireFileSystem(path, provider, CheckpointErrorCode.CheckpointNotFound);
        return resolved.Count > 0
            ? resolved
            : throw Wrong(CheckpointErrorCode.CheckpointNotFound, path, $"Nothing matches '{path}'.");
    }

    private static bool Exists(this PSCmdlet cmdlet, string path)
    {
        try
        {
            return path.Length > 0 && cmdlet.InvokeProvider.Item.Exists(path, force: true, literalPath: true);
        }
        catch (Exception e) when (e is SessionStateException or ProviderInvocationException or PSArgumentException or NotSupportedException)
        {
            // There is no such drive or provider, which the caller says better.
            return false;
        }
    }

    private static string Resolve(PSCmdlet cmdlet, string path, CheckpointErrorCode code)
    {
        try
        {
            var resolved = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            RequireFileSystem(path, provider, code);

            return resolved.Contains('\0') || !System.IO.Path.IsPathFullyQualified(resolved)
                ? throw Wrong(code, path, $"'{path}' is not a path of the file system.")
                : resolved.Replace(System.IO.Path.AltDirectorySeparatorChar, System.IO.Path.DirectorySeparatorChar);
        }
        catch (DriveNotFoundException e) when (AddressLikeStart(path) is { } start)
        {
            throw Unknown(start, code, e);
        }
        catch (Exception e) when (e is SessionStateException or PSInvalidOperationException or PSArgumentException or NotSupportedException)
        {
            throw Wrong(code, path, e.Message, e);
        }
    }

    private static void RequireFileSystem(string path, ProviderInfo provider, CheckpointErrorCode code)
    {
        if (provider.Name != FileSystem)
        {
            throw Wrong(code, path, $"'{path}' is a path of the {provider.Name} provider. Checkpoints are files; give a path of the file system.");
        }
    }

    /// <summary>The scheme of what is meant to be an address; null for a path.</summary>
    private static string? AddressLikeStart(string path) => path.IndexOf("://", StringComparison.Ordinal) is > 0 and var end ? path[..(end + 3)] : null;

    /// <summary>Does not repeat the rest, which may end with a secret.</summary>
    private static CheckpointException Unknown(string start, CheckpointErrorCode code, Exception cause) =>
        Wrong(code, start, $"Addresses that begin with '{start}' are not known. Give a path, or an address that begins with s3://, az:// or https://.", cause);

    private static CheckpointException Wrong(CheckpointErrorCode code, string path, string message, Exception? cause = null) =>
        new(code, message, path, cause);
}
