using System.Globalization;
using System.Security.Cryptography;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Conversion;

/// <summary>Compares the copies of tensors that every tensor-parallel rank has, such as norms, byte for byte.</summary>
internal static class ReplicaCheck
{
    /// <summary>Larger tensors of real models are divided.</summary>
    private const long MaxMeasured = 16 << 20;

    /// <summary>Lists the copies that differ.</summary>
    /// <returns>One warning about all norms whose copies differ and may do so; the copies of the first rank are used.</returns>
    /// <exception cref="CheckpointException">Copies differ that must be the same. All such tensors are listed.</exception>
    public static IEnumerable<CheckpointFinding> Require(
        IReadOnlyCollection<CheckpointTensor> tensors, StorageCopier copier, CancellationToken cancellationToken)
    {
        if (tensors.Count == 0)
        {
            return [];
        }

        var differences = tensors.Select(tensor => FindDifference(tensor, copier, cancellationToken)).OfType<Difference>().ToArray();
        var path = tensors.First().Owner.Path;

        CheckpointException.ThrowIfAny(
            differences.Select(difference => difference.ToFinding()).Where(finding => finding.Severity == FindingSeverity.Error),
            $"The tensor-parallel shards of '{path}' do not belong to one model",
            "Check that none is left over from another run or step. A tensor that LLaMA does not have can be filtered out.");

        return differences.Length == 0 ? [] : [Summarize(differences, path)];
    }

    /// <summary>A finding when not all copies of a tensor are the same.</summary>
    public static CheckpointFinding? Find(CheckpointTensor tensor, StorageCopier copier, CancellationToken cancellationToken) =>
        FindDifference(tensor, copier, cancellationToken)?.ToFinding();

    private static CheckpointFinding Summarize(Difference[] differences, string path)
    {
        var largest = differences.MaxBy(difference => difference.Max)!;

        return new CheckpointFinding(
            FindingSeverity.Warning,
            CheckpointErrorCode.ReplicaMismatch,
            $"The copies of {Quantity.Of(differences.Length, "norm")} differ between the tensor-parallel files of '{path}', by {Describe(largest.Max)} at most ('{largest.Tensor.Name}')."
                + $" The export uses those of '{largest.File}', as Hugging Face's converter does.",
            File: path);
    }

    private static Difference? FindDifference(CheckpointTensor tensor, StorageCopier copier, CancellationToken cancellationToken)
    {
        var storages = tensor.Copies.Select(copy => new TensorSlice(copy, tensor.Shape).ToStorage(tensor.DType)).ToArray();
        var hashes = storages.Select(storage => Hash(storage, copier, cancellationToken)).ToArray();
        var other = Array.FindIndex(hashes, hash => hash != hashes[0]);

        return other < 0
            ? null
            : new Difference(tensor, FileOf(tensor, 0), FileOf(tensor, other), MaxDifference(tensor, storages, copier, cancellationToken));
    }

    private static double? MaxDifference(CheckpointTensor tensor, PlannedStorage[] storages, StorageCopier copier, CancellationToken cancellationToken)
    {
        if (tensor.SizeInBytes > MaxMeasured || !DTypeInfo.Of(tensor.DType).IsRealFloat)
        {
            return null;
        }

        var first = Read(storages[0]);

        return storages.Skip(1).Max(storage => ThirdParty.TensorMath.Compare(tensor.DType, first, tensor.DType, Read(storage)).Max);

        byte[] Read(PlannedStorage storage)
        {
            var bytes = new MemoryStream((int)storage.Length);
            copier.Copy(storage, chunk => bytes.Write(chunk), cancellationToken);
            return bytes.ToArray();
        }
    }

    private static string FileOf(CheckpointTensor tensor, int rank) => tensor.Shards.First(shard => shard.TensorParallelRank == rank).File;

    private static string Hash(PlannedStorage storage, StorageCopier copier, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        copier.Copy(storage, chunk => hash.AppendData(chunk), cancellationToken);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static string Describe(double? difference) => difference?.ToString("G4", CultureInfo.InvariantCulture).Replace('E', 'e') ?? "an unknown amount";

    private sealed record Difference(CheckpointTensor Tensor, string File, string OtherFile, double? Max)
    {
        /// <summary>
        /// Meta's LLaMA 3 70B has norms that differ between its files, and so have models trained from it. All other copies are the same
        /// in sound checkpoints, and all copies in those that fairseq2 0.5 and newer divide.
        /// </summary>
        private bool IsTolerable => Tensor.ParsedName.Parameter is { Split: TensorSplit.Replicated } && !Tensor.Owner.HasExactReplicas;

        public CheckpointFinding ToFinding() => IsTolerable
            ? new(
                FindingSeverity.Warning,
                CheckpointErrorCode.ReplicaMismatch,
                $"'{Tensor.Name}' differs between '{File}' and '{OtherFile}', by {Describe(Max)} at most; an export uses that of the first file",
                Tensor.Name,
                OtherFile)
            : new(
                FindingSeverity.Error,
                CheckpointErrorCode.ShardMismatch,
                $"'{Tensor.Name}' should be the same in every tensor-parallel rank, but differs between '{File}' and '{OtherFile}'",
                Tensor.Name,
                OtherFile);
    }
}
