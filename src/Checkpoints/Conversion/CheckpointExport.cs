using Fairseq2Llama.Conversion;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// Plans the export of a checkpoint of any format to another, or the same one: <see cref="ReferenceExportOptions"/>,
/// <see cref="HuggingFaceExportOptions"/> or <see cref="Fairseq2ExportOptions"/> say to which.
/// </summary>
public static class CheckpointExport
{
    /// <summary>Plans the export of a checkpoint. Only looks, though for some formats at data, too; nothing is written to the destination.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="destination">The address of the folder to write into; it need not exist.</param>
    /// <param name="options">To which format, and how.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ConversionPlan Plan(
        LlamaCheckpoint checkpoint, CheckpointAddress destination, ExportOptions options, CancellationToken cancellationToken = default) =>
        Plan(checkpoint, Destinations.At(destination, cancellationToken), options, cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static ConversionPlan Plan(
        LlamaCheckpoint checkpoint, IExportDestination destination, ExportOptions options, CancellationToken cancellationToken = default) =>
        Plan(checkpoint, checkpoint.Tensors, destination, options, cancellationToken);

    /// <summary>Plans the export of those tensors of a checkpoint that are left after filtering.</summary>
    /// <param name="tensors">All from one checkpoint, or new; one that comes twice counts once. New ones take the places of those of the same names.</param>
    /// <param name="destination">The address of the folder to write into; it need not exist.</param>
    /// <param name="options">To which format, and how.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ConversionPlan Plan(
        IReadOnlyCollection<CheckpointTensor> tensors, CheckpointAddress destination, ExportOptions options, CancellationToken cancellationToken = default)
    {
        var distinct = tensors.Distinct().ToArray();
        var (added, kept) = (distinct.Where(tensor => tensor.IsNew).ToArray(), distinct.Where(tensor => !tensor.IsNew).ToArray());
        var checkpoints = kept.Select(tensor => tensor.Owner).Distinct().ToArray();

        return checkpoints is [var checkpoint] ? added.Length == 0
                ? Plan(checkpoint, kept, Destinations.At(destination, cancellationToken), options, cancellationToken)
                : Plan(ReplacedTensors.In(checkpoint, kept, added), Destinations.At(destination, cancellationToken), options, cancellationToken)
            : checkpoints.Length == 0 ? throw new CheckpointException(
                CheckpointErrorCode.MissingTensor, "There are only new tensors. Also pass those of the checkpoint that they belong to, from Get-CheckpointTensor.", destination.Text)
            : throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{destination}' can hold the tensors of only one checkpoint, and these come from {checkpoints.Length}:"
                + $" {string.Join(", ", checkpoints.Select(checkpoint => $"'{checkpoint.Path}'"))}. Export each one separately.",
                destination.Text);
    }

    private static ConversionPlan Plan(
        LlamaCheckpoint checkpoint,
        IReadOnlyCollection<CheckpointTensor> tensors,
        IExportDestination destination,
        ExportOptions options,
        CancellationToken cancellationToken)
    {
        var format = options.MakeFormat(cancellationToken);

        ExportChecks.RequireValidPickles(checkpoint, options.Policy);
        tensors = [.. tensors.Where(tensor => !tensor.ParsedName.IsComputed)];
        ExportChecks.RequireMapped(checkpoint, tensors, options);
        ExportChecks.RequireUnquantized(checkpoint, tensors, format, options);
        var choice = ArchitectureChoice.Of(checkpoint, tensors, options.Architecture, format);
        ExportChecks.Require(checkpoint, tensors, choice, format);
        checkpoint.Locate(tensors, cancellationToken);

        // An architecture says how a model was initialized. Training may have made the two different or, if they were never tied, left them equal.
        var output = format.OmitsTiedOutput ? TiedOutput.Of(tensors, options.Policy, cancellationToken) : null;
        var architecture = output is null ? choice.Architecture : choice.Architecture with { TiedEmbeddings = output.IsTied };

        var model = new ExportedModel(checkpoint, tensors, architecture, format, options.DType);
        var files = PlanFiles(format, model, destination, options, cancellationToken);

        if (options.Manifest && options.ShardIndex.IsEmpty)
        {
            files = files with { Planned = [.. files.Planned, new PlannedManifest(format.Folder.Stem ?? destination.Folder.Name, files, model, format, options)] };
        }

        var found = DestinationFolder.Inspect(destination, files, format, options.Force);
        RequireInputsElsewhere(checkpoint, destination.Folder, found);

        return new ConversionPlan(destination, architecture, files, format, options.Verification)
        {
            Reasons = [choice.Reason, .. output is null ? (IEnumerable<string>)[] : [output.Reason], files.Reason, .. format.ExplainConfig(architecture), .. ExplainManifest(files)],
            ReplicatedTensors = files.TensorFiles.IsEmpty ? [] : [.. files.Split.FindReplicated(model.Tensors)],
            ReplacedFiles = found.Replaced,
            StaleFiles = found.Stale,
            Flush = options.Flush || found.Replaced.Length + found.Stale.Length > 0,
            Warnings = [.. ExportChecks.Warn(model, choice, format, options.Policy), .. found.Warnings, .. files.Warnings],
        };
    }

    /// <summary>Some files depend on what is already there, which a store need not say.</summary>
    private static OutputFiles PlanFiles(
        OutputFormat format, ExportedModel model, IExportDestination destination, ExportOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return ShardJobs.Select(format.PlanFiles(model, destination.Folder), options, destination.Folder, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw destination.ToError(e, 0);
        }
    }

    private static IEnumerable<string> ExplainManifest(OutputFiles files) => files.Planned.OfType<PlannedManifest>().SelectMany(manifest => manifest.Reasons);

    /// <summary>-Force replaces earlier exports, but not the input.</summary>
    private static void RequireInputsElsewhere(LlamaCheckpoint checkpoint, ICheckpointFolder folder, DestinationFolder found)
    {
        var inputs = checkpoint.InputFiles.Select(folder.IdentityOf).ToHashSet(folder.Identities);
        var input = found.Replaced.Concat(found.Stale).Select(folder.PathOf).FirstOrDefault(path => inputs.Contains(folder.IdentityOf(path)));

        if (input is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"The export would replace its own input, '{input}'. Choose another destination.", folder.Path);
        }
    }
}
