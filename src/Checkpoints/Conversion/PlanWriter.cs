using System.Collections.Immutable;
using Fairseq2Llama.Conversion.Destination;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Conversion;

/// <summary>Carries out a plan: write everything into a staging folder, verify it, move it into place.</summary>
internal sealed class PlanWriter(ConversionPlan plan, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly long _total = plan.Files.Sum(file => file.WorkFor(plan.Policy));
    private long _done;

    /// <returns>What showed only when the data was read, and may surprise.</returns>
    public ImmutableArray<CheckpointFinding> Run()
    {
        try
        {
            ImmutableArray<CheckpointFinding> findings;
            using var staging = StagingFolder.Create(plan);

            using (var copier = new StorageCopier(staging.Path, plan.Policy) { ReadsShared = ReadsAll })
            {
                findings = [.. ReplicaCheck.Require(plan.ReplicatedTensors, copier, cancellationToken)];

                foreach (var file in plan.Files.OrderBy(file => file.Phase))
                {
                    Write(file, staging.PathOf(file), copier);
                }

                copier.RequireUnchangedInputs();
                findings = [.. findings, .. FindOverflows(copier), .. staging.IsExclusive ? [] : FindingsWithoutLocks()];
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

    private CheckpointFinding[] FindingsWithoutLocks() =>
    [
        new CheckpointFinding(
            FindingSeverity.Warning,
            CheckpointErrorCode.LocksUnavailable,
            $"The file system of '{plan.DestinationPath}' has no locks, so nothing keeps another export from writing there at the same time."
                + " Make sure that there is none.",
            File: plan.DestinationPath),
    ];

    private IEnumerable<CheckpointFinding> FindOverflows(StorageCopier copier) =>
        from file in plan.Files.OfType<PlannedTensorFile>()
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
    private bool ReadsAll => plan.Policy.ReadsBack || plan.Files.Any(file => file is PlannedChecklist);

    private void Write(PlannedFile file, string path, StorageCopier copier)
    {
        cancellationToken.ThrowIfCancellationRequested();

        var end = _done + file.WorkFor(plan.Policy);
        Report(0);

        file.Write(path, new WriteContext(copier, plan.Policy, plan.Flush, Report, cancellationToken));

        _done = end;
        Report(0);

        void Report(long count)
        {
            _done += count;
            progress?.Report(new ByteProgress(file.Name, _done, _total));
        }
    }
}
