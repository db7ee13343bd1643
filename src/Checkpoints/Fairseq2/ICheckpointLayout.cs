using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// One of the ways in which fairseq2 has laid a checkpoint out in a folder. A new layout is a new class in the list of
/// <see cref="CheckpointLayouts"/>.
/// </summary>
internal interface ICheckpointLayout
{
    /// <summary>The files that make a checkpoint of this layout, or null when the folder holds none.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    CheckpointFiles? Find(ICheckpointFolder folder);
}
