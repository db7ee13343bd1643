namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints of one format.</summary>
public abstract class ReadCommand : PathCmdlet
{
    /// <inheritdoc/>
    protected sealed override void ProcessPath(string path)
    {
        var checkpoint = ReadOrExplain(path);

        foreach (var warning in checkpoint.Warnings)
        {
            WriteWarning(warning);
        }

        var told = checkpoint.Architecture is { } architecture
            ? $"a file beside them tells an architecture, {Display.Architecture(architecture)}."
            : "no file beside them tells an architecture.";

        WriteVerbose($"'{checkpoint.Path}': {checkpoint.Tensors.Length} tensors in {string.Join(", ", checkpoint.Files)}; {told}");
        WriteObject(checkpoint);
    }

    private LlamaCheckpoint ReadOrExplain(string path)
    {
        try
        {
            return Read(path);
        }
        catch (CheckpointException e)
        {
            throw ReadErrors.Explain(e, path);
        }
    }

    /// <summary>Reads one.</summary>
    /// <param name="path">An absolute path of the operating system.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected abstract LlamaCheckpoint Read(string path);
}
