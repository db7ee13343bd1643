using System.Collections.Immutable;
using Fairseq2Llama.Conversion.Destination;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Conversion;

/// <summary>Carries out a plan: write everything into a staging folder, verify it, move it into place.</summary>
internal sealed class PlanWriter(ConversionPlan plan, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly long _total = plan.Files.Sum(file => WorkOf(file, plan.Verification));
    private long _done;

    /// <returns>What showed only when the data was read, and may surprise.</returns>
    public ImmutableArray<CheckpointFinding> Run()
    {
        try
        {
            ImmutableArray<CheckpointFinding> findings;
            using var staging = StagingFolder.Create(plan);

            using (var copier = new StorageCopier(staging.Path, plan.Verification, cancellationToken) { ReadsShared = ReadsAll })
            {
                ReplicaCheck.Require(plan.ReplicatedTensors, copier);

                foreach (var file in plan.Files.OrderBy(TurnOf))
                {
                    Write(file, staging.PathOf(file), copier);
                }

                copier.RequireUnchangedInputs();
                findings = [.. FindOverflows(copier)];
            }

            cancellationToken.ThrowIfCancellationRequested();
            staging.Commit();
            return findings;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, plan.DestinationPath, plan.Length);
        }
    }

    private IEnumerable<CheckpointFinding> FindOverflows(StorageCopier copier) =>
        from file in plan.Files.OfType<PlannedTorchFile>()
        from tensor in file.Tensors
        where copier.Overflows.ContainsKey(tensor.Storage)
        select new CheckpointFinding(
            FindingSeverity.Warning,
            CheckpointErrorCode.NonFiniteNumbers,
            $"{copier.Overflows[tensor.Storage]} of {tensor.Shape.ElementCount} numbers of '{tensor.Name}' in '{file.Name}' are too large for"
                + $" {tensor.DType.GetTorchName()} and became Inf.",
            tensor.Name,
            file.Name);

    /// <summary>
    /// What lies in shared blocks is the input's. Damage to it would seem to be ours when what was written is read back, and a checklist would
    /// vouch for it.
    /// </summary>
    private bool ReadsAll => plan.Verification == VerificationMode.Full || plan.Files.Any(file => file is PlannedChecklist);

    /// <summary>
    /// The small ones first: should the disk be full to the last byte, that shows now and not after an hour. What is made of the others
    /// comes last.
    /// </summary>
    private static int TurnOf(PlannedFile file) => file switch
    {
        PlannedTextFile => 0,
        PlannedTorchFile => 1,
        _ => 2,
    };

    /// <summary>Bytes that are written, or read once more.</summary>
    private static long WorkOf(PlannedFile file, VerificationMode verification) => file switch
    {
        PlannedTorchFile when verification == VerificationMode.Full => 2 * file.Length,
        PlannedChecklist checklist => checklist.ReadLength + file.Length,
        _ => file.Length,
    };

    private void Write(PlannedFile file, string path, StorageCopier copier)
    {
        cancellationToken.ThrowIfCancellationRequested();

        var end = _done + WorkOf(file, plan.Verification);
        Report(0);

        switch (file)
        {
            case PlannedTextFile text:
                DiskFlush.WriteFile(path, text.Content.Span, plan.Flush);
                break;

            case PlannedTorchFile torch:
                var preallocate = !torch.Layout.Storages.Any(copier.CanShare);
                var checksums = new TorchFileWriter(torch.Layout, copier.Write, Report).Write(path, preallocate, plan.Flush);
                new WrittenFileCheck(torch, path, checksums, Report, cancellationToken).Run(readBack: plan.Verification == VerificationMode.Full);
                break;

            case PlannedChecklist checklist:
                checklist.Write(path, plan.Flush, Report, cancellationToken);
                break;
        }

        _done = end;
        Report(0);

        void Report(long count)
        {
            _done += count;
            progress?.Report(new ByteProgress(file.Name, _done, _total));
        }
    }
}
