using Fairseq2Llama.Sharding;

namespace Fairseq2Llama.Testing;

/// <summary>
/// Finds tensors that sharded data parallelism divided unevenly. That the last files have fewer rows, or none, is how torch.chunk and so
/// FSDP divide what does not divide evenly; any other division is one that no known program makes.
/// </summary>
internal static class UnevenShards
{
    public static IEnumerable<CheckpointFinding> Find(Fairseq2Checkpoint checkpoint)
    {
        var uneven = 0;

        foreach (var tensor in checkpoint.Tensors)
        {
            foreach (var rank in tensor.Shards.GroupBy(shard => (shard.PipelineStage, shard.TensorParallelRank)))
            {
                var rows = rank.Select(RowsOf).ToArray();
                var expected = TorchChunk.Divide(rows.Sum(), checkpoint.DataParallelSize);

                uneven += expected.Distinct().Count() > 1 ? 1 : 0;

                if (!rows.SequenceEqual(expected.Take(rows.Length)) || expected.Skip(rows.Length).Any(count => count > 0))
                {
                    yield return new CheckpointFinding(
                        FindingSeverity.Warning,
                        CheckpointErrorCode.ShardMismatch,
                        $"'{tensor.Name}' has {string.Join(", ", rows)} rows in the files of '{rank.First().FolderPath}'; PyTorch"
                            + $" would have divided them into {string.Join(", ", expected)}",
                        tensor.Name,
                        rank.First().File);
                }
            }
        }

        if (uneven > 0)
        {
            yield return new CheckpointFinding(
                FindingSeverity.Information,
                CheckpointErrorCode.ShardMismatch,
                $"{Quantity.Of(uneven, "tensor")} can't be divided evenly by {checkpoint.DataParallelSize}, so the last files hold fewer rows or none");
        }
    }

    private static long RowsOf(TensorShard shard) => shard.Shape.Count == 0 || shard.Shape.ElementCount == 0 ? 0 : shard.Shape[0];
}
