using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Plans the export of a fairseq2 checkpoint to Meta's reference format: consolidated.NN.pth and params.json.</summary>
public static class ReferenceExport
{
    /// <summary>Plans the export of a checkpoint. Only looks; nothing is written.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="destinationPath">The absolute path of the folder to write into; it need not exist.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    public static ConversionPlan Plan(Fairseq2Checkpoint checkpoint, string destinationPath, ReferenceExportOptions options) =>
        Plan(checkpoint, checkpoint.Tensors, destinationPath, options);

    /// <summary>Plans the export of those tensors of a checkpoint that are left after filtering.</summary>
    /// <param name="tensors">All from one checkpoint; one that comes twice counts once.</param>
    /// <param name="destinationPath">The absolute path of the folder to write into; it need not exist.</param>
    /// <param name="options">How.</param>
    /// <exception cref="CheckpointException">Anything that would make the result wrong or that stands in its way.</exception>
    public static ConversionPlan Plan(
        IReadOnlyCollection<CheckpointTensor> tensors, string destinationPath, ReferenceExportOptions options)
    {
        var distinct = tensors.Distinct().ToArray();
        var checkpoints = distinct.Select(tensor => tensor.Checkpoint).Distinct().ToArray();

        return checkpoints is [var checkpoint]
            ? Plan(checkpoint, distinct, destinationPath, options)
            : throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{destinationPath}' can hold tensors of one checkpoint, and these come from {checkpoints.Length}:"
                + $" {string.Join(", ", checkpoints.Select(checkpoint => $"'{checkpoint.Path}'"))}. Export each by itself.",
                destinationPath);
    }

    private static ConversionPlan Plan(
        Fairseq2Checkpoint checkpoint,
        IReadOnlyCollection<CheckpointTensor> tensors,
        string destinationPath,
        ReferenceExportOptions options)
    {
        var architecture = options.Architecture ?? ArchitectureInference.Infer(tensors, options.ParamsLayout, checkpoint.Path);
        architecture.Validate();
        RequireFit(checkpoint, tensors, architecture, options.AllowUnmapped);
        RequireValidPickles(checkpoint, options.Verification);

        ImmutableArray<PlannedFile> files =
        [
            .. Enumerable.Range(0, checkpoint.ShardCount).Select(rank => PlanShard(tensors, rank)),
            new PlannedTextFile(ReferenceParams.FileName, ReferenceParams.Write(architecture, options.ParamsLayout)),
        ];

        var destination = ReferenceDestination.Inspect(destinationPath, files, options.Force);

        return new ConversionPlan(destinationPath, architecture, files, options.Verification)
        {
            ReplacedFiles = destination.Replaced,
            StaleFiles = destination.Stale,
            Warnings =
            [
                .. ArchitectureCheck.FindUnmapped(tensors).Select(finding => $"{finding.Message}; it is carried over as it is."),
                .. destination.Warnings,
            ],
        };
    }

    private static void RequireFit(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture architecture, bool allowUnmapped)
    {
        // Names first: in a file that is no LLaMA at all, contradictions and missing parameters would only distract.
        if (!allowUnmapped)
        {
            Require(
                ArchitectureCheck.FindUnmapped(tensors),
                $"'{checkpoint.Path}' holds what LLaMA does not have",
                "Filter the tensors with Get-CheckpointTensor and Where-Object, or carry them over with -AllowUnmapped.");
        }

        Require(
            ArchitectureCheck.FindContradictions(tensors, architecture),
            $"The weights of '{checkpoint.Path}' contradict the architecture '{architecture.Name}'",
            "Name the architecture that the model was trained with, or make it with New-LlamaArchitecture.");

        Require(
            ArchitectureCheck.FindMissing(tensors, architecture),
            $"'{checkpoint.Path}' lacks parameters of the architecture '{architecture.Name}'",
            "If tensors were filtered, keep these. Where the output is tied to the embeddings, use an architecture with TiedEmbeddings.");
    }

    private static void Require(IEnumerable<CheckpointFinding> findings, string what, string remedy)
    {
        const int Shown = 10;

        var found = findings.ToArray();

        if (found.Length == 0)
        {
            return;
        }

        var more = found.Length > Shown ? $"; and {found.Length - Shown} more" : "";
        throw new CheckpointException(
            found[0].Code, $"{what}: {string.Join("; ", found.Take(Shown).Select(finding => finding.Message))}{more}. {remedy}", found[0].Tensor);
    }

    private static void RequireValidPickles(Fairseq2Checkpoint checkpoint, VerificationMode verification)
    {
        if (verification != VerificationMode.None && checkpoint.FilesWithInvalidPickleChecksum.FirstOrDefault() is { } file)
        {
            throw ChecksumMismatch.Of(file, "data.pkl");
        }
    }

    private static PlannedTorchFile PlanShard(IReadOnlyCollection<CheckpointTensor> tensors, int rank)
    {
        var planned = new List<PlannedTensor>();
        var storages = new Dictionary<TorchStorage, List<(TorchTensor Tensor, PlannedStorage Storage)>>();

        foreach (var tensor in tensors)
        {
            var part = tensor.Shards[rank].Tensor;
            planned.Add(new PlannedTensor(tensor.ReferenceName ?? tensor.Name, tensor.Name, tensor.DType, part.Shape, StorageOf(part)));
        }

        AddTiedOutput(planned);
        return new PlannedTorchFile(string.Create(CultureInfo.InvariantCulture, $"consolidated.{rank:00}.pth"), planned);

        // Weights that are one in the input, as tied ones are, stay one.
        PlannedStorage StorageOf(TorchTensor part)
        {
            var views = storages.TryGetValue(part.Storage, out var known) ? known : storages[part.Storage] = [];
            var same = views.Find(view => view.Tensor.IsSameViewAs(part)).Storage;

            if (same is null)
            {
                same = new PlannedStorage(part.DType, [ByteRuns.Of(part)]);
                views.Add((part, same));
            }

            return same;
        }
    }

    /// <summary>Readers need output.weight even where it is the embedding table and the checkpoint leaves it out.</summary>
    private static void AddTiedOutput(List<PlannedTensor> planned)
    {
        var output = LlamaParameter.Output.ReferencePrefix + LlamaParameter.Suffix;

        if (planned.Find(tensor => tensor.Name == output) is null)
        {
            var embedding = planned.Find(tensor => tensor.Name == LlamaParameter.Embedding.ReferencePrefix + LlamaParameter.Suffix)!;
            planned.Add(embedding with { Name = output });
        }
    }
}
