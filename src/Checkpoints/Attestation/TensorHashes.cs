using Fairseq2Llama.Manifests;
using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Model;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Attestation;

/// <summary>Hashes the tensors of a checkpoint, and nothing else of it.</summary>
internal static class TensorHashes
{
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="report">Told on the calling thread how many bytes were read since it was told last.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">It can't be read, or is damaged.</exception>
    public static IReadOnlyList<ManifestTensor> Of(LlamaCheckpoint checkpoint, Action<long> report, CancellationToken cancellationToken)
    {
        CheckpointTensor[] tensors = [.. Tensors(checkpoint)];
        using var data = new TensorData(tensors, cancellationToken);
        CheckpointTensor[] distinct = [.. tensors.Distinct(SharedStorage.Comparer)];
        var hashes = distinct.ToDictionary(tensor => tensor, tensor => new TensorHash(tensor.Name, tensor.DType, tensor.Shape), SharedStorage.Comparer);

        try
        {
            Read([.. hashes.Select(pair => (pair.Key, pair.Value))], data, report);

            return TiedTensor.AddTo(
            [
                .. from tensor in tensors
                   select new ManifestTensor(tensor.CanonicalName, tensor.DType, tensor.Shape, hashes[tensor].Value) { Key = tensor.Name },
            ]);
        }
        finally
        {
            foreach (var hash in hashes.Values)
            {
                hash.Dispose();
            }
        }
    }

    /// <summary>Reads tensors in the canonical order, several at once.</summary>
    /// <param name="tensors">The tensors, and what takes their bytes.</param>
    /// <param name="data">Gives access to them.</param>
    /// <param name="report">Told on the calling thread how many bytes were read since it was told last.</param>
    /// <exception cref="CheckpointException">One can't be read, or is damaged.</exception>
    public static void Read(IReadOnlyList<(CheckpointTensor Tensor, TensorHash Hash)> tensors, TensorData data, Action<long> report)
    {
        var workers = new Workers(report, data.CancellationToken);

        workers.Run(tensors, isParallel: true, (pair, stop) => data.Copier.Copy(
            pair.Tensor.ToStorage(),
            chunk =>
            {
                pair.Hash.Append(chunk);
                workers.Done(chunk.Length);
            },
            stop));

        data.Copier.RequireUnchangedInputs();
    }

    /// <summary>Bytes that are read for it.</summary>
    public static long LengthOf(LlamaCheckpoint checkpoint) => Tensors(checkpoint).Distinct(SharedStorage.Comparer).Sum(tensor => tensor.SizeInBytes);

    private static IEnumerable<CheckpointTensor> Tensors(LlamaCheckpoint checkpoint) => checkpoint.Tensors.Where(tensor => !tensor.ParsedName.IsComputed);
}
