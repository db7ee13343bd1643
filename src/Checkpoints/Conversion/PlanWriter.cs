using System.Collections.Immutable;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Conversion;

/// <summary>Carries out a plan: writes everything to the staging folder, verifies it, and puts it in place.</summary>
internal sealed class PlanWriter(ConversionPlan plan, IProgress<ByteProgress>? progress, CancellationToken cancellationToken)
{
    private readonly long _total = plan.Files.Sum(file => file.Work + WrittenFileCheck.WorkFor(file, plan.Policy))
        + plan.Output.InPlace.Sum(check => WrittenFileCheck.WorkFor(check.File, plan.Policy));

    private readonly Dictionary<PlannedFile, IReadOnlyDictionary<PlannedStorage, uint>> _checksums = [];
    private long _done;

    /// <returns>Warnings that only reading the data reveals.</returns>
    public ImmutableArray<CheckpointFinding> Run()
    {
        if (plan.IsDone)
        {
            return [];
        }

        try
        {
            ImmutableArray<CheckpointFinding> findings;
            using var staging = plan.Destination.Begin(plan.Change);

            using (var recorder = Manifest?.Begin(cancellationToken))
            using (var copier = new StorageCopier(staging.Scratch, plan.Policy) { ReadsShared = ReadsAll, BeforeCast = recorder is null ? null : recorder.BeforeCast })
            {
                findings = [.. ReplicaCheck.Require(plan.ReplicatedTensors, copier, cancellationToken)];

                Write(staging, copier, recorder);
                findings = [.. findings, .. FindOverflows(copier), .. staging.IsExclusive ? [] : FindingsWithoutLocks()];
            }

            cancellationToken.ThrowIfCancellationRequested();
            staging.Commit();
            return findings;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw plan.Destination.ToError(e, plan.Length);
        }
    }

    private CheckpointFinding[] FindingsWithoutLocks() =>
    [
        new CheckpointFinding(
            FindingSeverity.Warning,
            CheckpointErrorCode.LocksUnavailable,
            $"The file system of '{plan.DestinationPath}' has no locks, so nothing prevents another export from writing there at the same time."
                + " Make sure that no other export does.",
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

    private PlannedManifest? Manifest => plan.Files.OfType<PlannedManifest>().FirstOrDefault();

    /// <summary>
    /// Shared blocks hold data of the input. If it is damaged, reading back would blame the output, and a checklist or a manifest would
    /// vouch for it.
    /// </summary>
    private bool ReadsAll => plan.Policy.ReadsBack || Manifest is not null || plan.Files.Any(file => file is PlannedChecklist);

    /// <summary>
    /// Derived files are written after the files from which they derive are verified. Looking at a file can already replace an earlier one, so
    /// no file is looked at before the inputs are verified.
    /// </summary>
    private void Write(IStagedFolder staging, StorageCopier copier, ManifestRecorder? recorder)
    {
        var inPlace = new FilesInPlace(plan.Destination.Folder, plan.Output.InPlace);
        var checks = plan.Output.InPlace.ToList();
        Run(checks);

        foreach (var phase in plan.Files.GroupBy(file => file.Phase).OrderBy(phase => phase.Key))
        {
            if (phase.Key >= WritePhase.Derived)
            {
                Run(checks);
            }

            foreach (var file in phase)
            {
                Do(file, file.Work, context => checks.AddRange(file.Write(context) is { } check ? [check] : []));
            }
        }

        Run(checks);

        void Run(List<WrittenFileCheck> checks)
        {
            copier.RequireUnchangedInputs();

            foreach (var check in checks)
            {
                Do(check.File, WrittenFileCheck.WorkFor(check.File, plan.Policy), check.Run);
            }

            checks.Clear();
        }

        void Do(PlannedFile file, long work, Action<WriteContext> step)
        {
            cancellationToken.ThrowIfCancellationRequested();

            var end = _done + work;
            Report(0);
            step(new WriteContext(staging, inPlace, copier, plan.Policy, Report, cancellationToken) { Checksums = _checksums, Recorder = recorder });
            _done = end;
            Report(0);

            void Report(long count)
            {
                _done += count;
                progress?.Report(new ByteProgress(file.Name, _done, _total));
            }
        }
    }
}
