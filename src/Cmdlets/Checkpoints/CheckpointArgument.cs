using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// A checkpoint as an argument: one that has been read, or the path of one that is to be read. PowerShell makes it by one of the constructors; what
/// is wrong with a path is reported by the command, with our ErrorId, rather than by the engine's parameter binding.
/// </summary>
public sealed class CheckpointArgument
{
    /// <summary>A checkpoint that has been read.</summary>
    public CheckpointArgument(LlamaCheckpoint checkpoint) => Given = Checkpoint = checkpoint;

    /// <summary>The path of a checkpoint of any format, or of several by wildcards.</summary>
    public CheckpointArgument(string path)
        : this(path, new PathArgument(path))
    {
    }

    /// <summary>A folder or file, as Get-Item and Get-ChildItem get it.</summary>
    public CheckpointArgument(FileSystemInfo item)
        : this(item, new PathArgument(item))
    {
    }

    /// <summary>A file of a checkpoint in a store, as Get-AzStorageBlob and Get-S3Object list it.</summary>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public CheckpointArgument(object item)
        : this(item, new PathArgument(item))
    {
        if (Place is not { File: not null })
        {
            throw new ArgumentException("This is neither a checkpoint, nor a path, nor a file in a store.", nameof(item));
        }
    }

    /// <summary>A manifest, which stands for its file.</summary>
    public CheckpointArgument(CheckpointManifest manifest)
        : this(manifest, PathArgument.Literal(manifest.Path ?? manifest.Name))
    {
    }

    /// <summary>A script block, which is not a checkpoint: the first argument of an export is its destination where checkpoints are piped to it.</summary>
    public CheckpointArgument(ScriptBlock script)
        : this(script, new PathArgument(script))
    {
    }

    /// <summary>How a tensor of two checkpoints compares, which is no checkpoint. The command says so once, and not for each of them.</summary>
    public CheckpointArgument(TensorComparison comparison) => Given = comparison;

    private CheckpointArgument(object given, PathArgument place)
    {
        Given = given;
        Place = place;
    }

    /// <summary>What was given.</summary>
    internal object Given { get; }

    /// <summary>The checkpoint; null where it is to be read.</summary>
    internal LlamaCheckpoint? Checkpoint { get; }

    /// <summary>Where it is; null where it has been read, or is none.</summary>
    internal PathArgument? Place { get; }

    /// <summary>The argument, as text.</summary>
    public override string ToString() => Place?.ToString() ?? $"{Given}";
}
