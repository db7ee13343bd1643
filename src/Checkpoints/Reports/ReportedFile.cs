using System.Collections.Immutable;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Reports;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Name">Its path within the checkpoint.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Place">Its place in the grid of shards; null where it holds no weights.</param>
/// <param name="Weights">What it holds of the weights.</param>
internal sealed record ReportedFile(string Name, long Length, ShardCoordinates? Place, WeightSum Weights)
{
    public static ImmutableArray<ReportedFile> AllOf(LlamaCheckpoint checkpoint)
    {
        var shards = checkpoint.Tensors.SelectMany(tensor => tensor.Shards).ToLookup(shard => shard.File, StringComparer.Ordinal);

        return
        [
            .. from file in checkpoint.Files
               let held = shards[file]
               let name = checkpoint.PathWithin(file)
               select new ReportedFile(
                   name,
                   StoredFile.Below(checkpoint.Folder, name).Length,
                   held.Select(PlaceOf).FirstOrDefault(),
                   WeightSum.Of([.. held])),
        ];
    }

    private static ShardCoordinates? PlaceOf(TensorShard shard) => new(shard.PipelineStage, shard.TensorParallelRank, shard.DataParallelRank);
}
