namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// One of the ways in which fairseq2 has laid a checkpoint out in a folder. A new layout is a new class in the list of
/// <see cref="CheckpointLayouts"/>.
/// </summary>
internal interface ICheckpointLayout
{
    /// <summary>The files that make a checkpoint of this layout, or null when the folder holds none.</summary>
    /// <param name="folder">An absolute path.</param>
    /// <exception cref="CheckpointException">It does, and a file is missing or superfluous.</exception>
    IReadOnlyList<ShardFile>? Find(string folder);
}

/// <summary>A file of a checkpoint and which part of the model it holds.</summary>
/// <param name="Path">An absolute path.</param>
/// <param name="TensorParallelRank">Its place along the dims that tensor parallelism splits.</param>
internal sealed record ShardFile(string Path, int TensorParallelRank = 0);
