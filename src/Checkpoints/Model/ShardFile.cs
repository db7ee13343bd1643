using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Model;

/// <summary>A file of a checkpoint and which part of the model it holds.</summary>
/// <param name="File">The file.</param>
/// <param name="Place">Where its part belongs.</param>
internal sealed record ShardFile(StoredFile File, ShardCoordinates Place)
{
    /// <summary>The file's path.</summary>
    public string Path => File.Path;
}

/// <summary>A place in the grid of a checkpoint's files, by fairseq2's names for the three ways of dividing a model.</summary>
/// <param name="Pipeline">pp: which layers.</param>
/// <param name="TensorParallel">tp: which part along the dims that tensor parallelism splits.</param>
/// <param name="DataParallel">sdp: which rows of that.</param>
internal readonly record struct ShardCoordinates(int Pipeline = 0, int TensorParallel = 0, int DataParallel = 0);
