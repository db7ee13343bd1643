using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that takes files or folders by path, with wildcards or literally, the way PowerShell's own commands do.</summary>
public abstract class PathCmdlet : StoreCmdlet
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    /// <summary>Paths, which may have wildcards, or files in stores, as Get-AzStorageBlob and Get-S3Object list them.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [PathTransformation]
    [ValidateNotNullOrEmpty]
    public PathArgument[] Path { get; set; } = [];

    /// <summary>Paths that are taken as they are.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => PerPath([.. Path, .. LiteralPath.Select(PathArgument.Literal)], ProcessPath);

    /// <summary>Does the work for one address.</summary>
    /// <param name="address">Where something may be.</param>
    protected abstract void ProcessPath(CheckpointAddress address);
}
