using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>The path of a file or folder as an argument, or a file in a store as commands of other modules list it.</summary>
public sealed class PathArgument
{
    private readonly string _path = "";

    /// <param name="given">A path, as text; a file or folder, as Get-Item and Get-ChildItem get it; or an object of Get-AzStorageBlob or Get-S3Object.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public PathArgument(object given)
    {
        var item = given is PSObject wrapped ? wrapped.BaseObject : given;

        if (item is FileSystemInfo info)
        {
            _path = info.FullName;
            IsLiteral = true;
            return;
        }

        File = item is string or ScriptBlock ? null : ListedFile.Of(given);

        if (File is null && (_path = $"{given}").Length == 0)
        {
            throw new ArgumentException("The path of a checkpoint can't be empty.");
        }
    }

    /// <summary>A file in a store.</summary>
    internal PathArgument(ListedFile file) => File = file;

    /// <summary>A path that is taken as it is.</summary>
    internal static PathArgument Literal(string path) => new(path) { IsLiteral = true };

    /// <summary>A path of PowerShell, or an address without secrets.</summary>
    internal string Path => File?.ToString() ?? _path;

    /// <summary>Whether the path is taken as it is; otherwise it may have wildcards.</summary>
    internal bool IsLiteral { get; private init; }

    /// <summary>The file in a store; null for a path.</summary>
    internal ListedFile? File { get; }

    /// <summary>The argument, as text.</summary>
    public override string ToString() => Path;
}
