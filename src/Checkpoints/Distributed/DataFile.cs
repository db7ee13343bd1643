using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>A file with data of a checkpoint, as it is now.</summary>
/// <param name="Stored">Where it is.</param>
/// <param name="Source">Its bytes.</param>
internal sealed record DataFile(StoredFile Stored, IByteSource Source)
{
    /// <summary>The file as shards name it.</summary>
    public ShardFile Shard { get; } = new(Stored, default);
}
