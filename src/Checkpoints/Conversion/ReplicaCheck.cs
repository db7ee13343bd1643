using System.Security.Cryptography;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Conversion;

/// <summary>Holds the copies of tensors that every tensor-parallel rank has, as of norms, against each other, byte for byte.</summary>
internal static class ReplicaCheck
{
    /// <exception cref="CheckpointException">Copies differ; all such tensors are listed.</exception>
    public static void Require(IReadOnlyCollection<CheckpointTensor> tensors, StorageCopier copier, CancellationToken cancellationToken)
    {
        if (tensors.Count > 0)
        {
            CheckpointException.ThrowIfAny(
                tensors.SelectMany(tensor => Find(tensor, copier, cancellationToken)),
                $"The tensor-parallel shards of '{tensors.First().Checkpoint.Path}' are not of one model",
                "Check that none was left over from another run or step; a tensor that LLaMA does not have can be filtered out.");
        }
    }

    /// <summary>A finding when not all copies of a tensor are the same.</summary>
    public static IEnumerable<CheckpointFinding> Find(CheckpointTensor tensor, StorageCopier copier, CancellationToken cancellationToken)
    {
        var hashes = tensor.Copies.Select(copy => Hash(new TensorSlice(copy, tensor.Shape).ToStorage(tensor.DType), copier, cancellationToken)).ToArray();
        var other = Array.FindIndex(hashes, hash => hash != hashes[0]);

        if (other > 0)
        {
            var file = FileOf(tensor, other);

            yield return new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.ShardMismatch,
                $"'{tensor.Name}' should be the same in every tensor-parallel rank and differs between '{FileOf(tensor, 0)}' and '{file}'",
                tensor.Name,
                file);
        }
    }

    private static string FileOf(CheckpointTensor tensor, int rank) => tensor.Shards.First(shard => shard.TensorParallelRank == rank).File;

    private static string Hash(PlannedStorage storage, StorageCopier copier, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        copier.Copy(storage, chunk => hash.AppendData(chunk), cancellationToken);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
