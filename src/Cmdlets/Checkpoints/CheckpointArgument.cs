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
    public CheckpointArgument(string path) => Given = Path = path;

    /// <summary>A folder or file, as Get-Item and Get-ChildItem get it.</summary>
    public CheckpointArgument(FileSystemInfo item)
    {
        Given = item;
        Path = item.FullName;
        IsLiteral = true;
    }

    /// <summary>A script block, which is not a checkpoint: the first argument of an export is its destination where checkpoints are piped to it.</summary>
    public CheckpointArgument(ScriptBlock script)
    {
        Given = script;
        Path = script.ToString();
    }

    /// <summary>How a tensor of two checkpoints compares, which is no checkpoint. The command says so once, and not for each of them.</summary>
    public CheckpointArgument(TensorComparison comparison) => Given = comparison;

    /// <summary>What was given.</summary>
    internal object Given { get; }

    /// <summary>The checkpoint; null where it is to be read.</summary>
    internal LlamaCheckpoint? Checkpoint { get; }

    /// <summary>A path of PowerShell.</summary>
    internal string Path { get; } = "";

    /// <summary>Whether the path is taken as it is; otherwise it may have wildcards.</summary>
    internal bool IsLiteral { get; }

    /// <summary>The argument, as text.</summary>
    public override string ToString() => $"{Given}";
}
