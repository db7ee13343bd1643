using System.Globalization;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>Opens a written file as any reader would, and compares it with the plan.</summary>
/// <param name="plan">What was to be written.</param>
/// <param name="checksums">The CRC-32 of each storage.</param>
internal sealed class WrittenFileCheck(PlannedTensorFile plan, IReadOnlyDictionary<PlannedStorage, uint> checksums)
{
    /// <summary>The file.</summary>
    public PlannedTensorFile File => plan;

    /// <summary>The code of the error if it differs.</summary>
    public CheckpointErrorCode Code { get; init; } = CheckpointErrorCode.WriteFailed;

    /// <summary>What to do if it differs.</summary>
    public string Remedy { get; init; } = "Check the disk of the destination. No files are left behind.";

    /// <summary>Bytes that are read for it.</summary>
    public static long WorkFor(PlannedFile file, VerificationPolicy verification) => verification.ReadsBack && file is PlannedTensorFile ? file.Length : 0;

    /// <exception cref="CheckpointException">It differs from the plan.</exception>
    public void Run(WriteContext context)
    {
        try
        {
            Compare(context);
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.ReadFailed)
        {
            // A store may let somebody write who may not read, and says so.
            throw new CheckpointException(CheckpointErrorCode.WriteFailed, $"What was written can't be verified. {e.Message}", context.PathOf(plan), e);
        }
        catch (CheckpointException e) when (e.Code != Code && e.Code is not (CheckpointErrorCode.WriteFailed or CheckpointErrorCode.OutputExists))
        {
            // The reader sees the written file as an input; to the user, it is the output.
            throw new CheckpointException(
                CheckpointErrorCode.WriteFailed,
                $"'{context.PathOf(plan)}' can't be read back: it was removed or changed while it was being written, or the disk is failing. Run the export again.",
                context.PathOf(plan),
                e);
        }
    }

    /// <summary>Compares the index of the file with the plan.</summary>
    /// <param name="source">The file.</param>
    /// <returns>Where the bytes of each storage are.</returns>
    /// <exception cref="CheckpointException">It differs, or can't be read.</exception>
    public IReadOnlyDictionary<PlannedStorage, StoredBytes> CompareIndex(IByteSource source)
    {
        Require(source.Length == plan.Length, string.Create(CultureInfo.InvariantCulture, $"{source.Length} bytes instead of {plan.Length}"));
        var entries = plan.Container.Read(source);
        var storages = new Dictionary<PlannedStorage, StoredBytes>();

        Require(entries.Count == plan.Tensors.Count, $"{Quantity.Of(entries.Count, "tensor")} instead of {plan.Tensors.Count}");

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

        return storages;
    }

    /// <summary>Compares data that somebody else has read.</summary>
    /// <param name="storage">The storage.</param>
    /// <param name="crc">Its CRC-32.</param>
    /// <exception cref="CheckpointException">It differs.</exception>
    public void CompareData(PlannedStorage storage, uint crc) => Require(crc == checksums[storage], $"different bytes in '{plan.Tensors.First(tensor => tensor.Storage == storage).Name}'");

    private void Compare(WriteContext context)
    {
        var source = context.SourceOf(plan);
        var storages = CompareIndex(source);

        if (context.Verification.ReadsBack)
        {
            ReadBack(source, [.. storages], context.MakeWorkers());
        }
    }

    private void ReadBack(IByteSource source, IReadOnlyList<KeyValuePair<PlannedStorage, StoredBytes>> storages, Workers workers)
    {
        using var reader = source.Open(workers.CancellationToken);
        reader.Expect([.. storages.Select(pair => new ByteRange(pair.Value.Offset, pair.Value.Length))]);

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

            Require(crc.GetAndReset() == checksums[planned], $"different bytes in '{storage.Record}'");
        });
    }

    private void Require(bool condition, string found)
    {
        if (!condition)
        {
            throw new CheckpointException(
                Code,
                $"'{plan.Name}' reads back differently from what was written: {found}. {Remedy}",
                plan.Name);
        }
    }
}
