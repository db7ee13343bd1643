namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints of one format.</summary>
public abstract class ReadCommand : PathCmdlet
{
    /// <inheritdoc/>
    protected sealed override void ProcessPath(string path)
    {
        var checkpoint = Read(path);

        WriteVerbose(
            $"'{checkpoint.Path}': {checkpoint.Tensors.Length} tensors in {string.Join(", ", checkpoint.Files)}; "
            + (checkpoint.Architecture is { } told ? $"a file beside them tells an architecture, {Display.Architecture(told)}." : "no file beside them tells an architecture."));
        WriteObject(checkpoint);
    }

    /// <summary>Reads one.</summary>
    /// <param name="path">An absolute path of the operating system.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected abstract LlamaCheckpoint Read(string path);
}
