namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints of one format.</summary>
public abstract class ReadCommand : PathCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessPath(string path) => WriteObject(Read(path, Read));

    /// <summary>Reads one.</summary>
    /// <param name="path">An absolute path of the operating system.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected abstract LlamaCheckpoint Read(string path);
}
