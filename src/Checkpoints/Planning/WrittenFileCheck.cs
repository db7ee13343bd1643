using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>Opens a written file as any reader would and compares what it says with the plan.</summary>
internal sealed class WrittenFileCheck(
    PlannedTensorFile plan,
    string path,
    IReadOnlyDictionary<PlannedStorage, uint> checksums,
    Workers workers)
{
    /// <param name="readBack">Whether to read all data, too.</param>
    /// <exception cref="CheckpointException">It is not what was planned.</exception>
    public void Run(bool readBack)
    {
        try
        {
            Compare(readBack);
        }
        catch (CheckpointException e) when (e.Code != CheckpointErrorCode.WriteFailed)
        {
            // To the reader of what we wrote it is an input; to the user it is the output.
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"'{plan.Name}' can't be read back from '{Path.GetDirectoryName(path)}': it was removed or changed while it was being written,"
                + " or the disk is failing. Run the export again.",
                path,
                e);
        }
    }

    private void Compare(bool readBack)
    {
        var source = new LocalFile(path);
        var entries = plan.Container.Read(source);
        var storages = new Dictionary<PlannedStorage, StoredBytes>();

        Require(entries.Count == plan.Tensors.Count, $"{entries.Count} tensors instead of {plan.Tensors.Count}");

        foreach (var (planned, (name, tensor)) in plan.Tensors.Zip(entries))
        {
            Require(name == planned.Name, $"'{name}' instead of '{planned.Name}'");

            var storage = storages.TryGetValue(planned.Storage, out var known) ? known : storages[planned.Storage] = tensor.Storage;

            Require(
                tensor.DType == planned.DType && tensor.Shape.Equals(planned.Shape) && tensor.IsContiguous && tensor.StorageOffset == 0
                    && tensor.Storage == storage && storage.Length == planned.Storage.Length
                    && (!plan.Container.HasChecksums || storage.Crc32 == checksums[planned.Storage]),
                $"another '{planned.Name}'");
        }

        if (readBack)
        {
            ReadBack(source, [.. storages]);
        }
    }

    private void ReadBack(LocalFile source, IReadOnlyList<KeyValuePair<PlannedStorage, StoredBytes>> storages)
    {
        using var reader = source.Open();

        workers.Run(storages, isParallel: true, (pair, cancellationToken) =>
        {
            var (planned, storage) = pair;
            using var runReader = new RunReader();
            var crc = ThirdParty.CreateCrc32();

            runReader.Read(reader, storage.Offset, new ByteRuns(storage, 0, storage.Length, []), chunk =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                crc.Append(chunk);
                workers.Done(chunk.Length);
            });

            Require(crc.GetAndReset() == checksums[planned], $"other bytes in '{storage.Record}'");
        });
    }

    private void Require(bool condition, string found)
    {
        if (!condition)
        {
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"What was read back of '{plan.Name}' is not what was written: {found}. Check the destination's disk. Nothing was left behind.",
                path);
        }
    }
}
