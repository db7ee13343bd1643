using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>A small file whose content is known.</summary>
/// <param name="name">Its name.</param>
/// <param name="content">All of it.</param>
/// <param name="summary">Its content, in a few words.</param>
/// <param name="isShared">Whether other jobs write the same file into the same folder at the same time, each with its own shards.</param>
internal sealed class PlannedTextFile(string name, ReadOnlyMemory<byte> content, string summary, bool isShared = false) : PlannedFile(name)
{
    public bool IsShared => isShared;

    public override long Length => content.Length;

    public override string Summary => summary;

    internal override WritePhase Phase => WritePhase.Small;

    /// <summary>Whether a file of its name is there and has this very content.</summary>
    /// <exception cref="CheckpointException">It can't be read, or is not a file.</exception>
    public bool IsAlreadyIn(ICheckpointFolder folder) => WholeFile.IsIn(folder, Name, content.Span);

    internal override WrittenFileCheck? Write(WriteContext context)
    {
        context.Write(Name, content.Span);
        return null;
    }
}
