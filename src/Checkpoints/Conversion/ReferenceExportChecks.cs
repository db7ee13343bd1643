using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Conversion;

/// <summary>What must hold before an export to the reference format is worth planning, and what to warn of.</summary>
internal static class ReferenceExportChecks
{
    /// <summary>Comes before all others: in a file that is no LLaMA, shapes and missing parameters would only distract.</summary>
    /// <exception cref="CheckpointException">There are tensors that LLaMA does not have, and they are not allowed.</exception>
    public static void RequireMapped(
        Fairseq2Checkpoint checkpoint, IEnumerable<CheckpointTensor> tensors, ReferenceExportOptions options) =>
        CheckpointException.ThrowIfAny(
            options.AllowUnmapped ? [] : ArchitectureCheck.FindUnmapped(tensors),
            $"'{checkpoint.Path}' holds what LLaMA does not have",
            "Filter the tensors with Get-CheckpointTensor and Where-Object, or carry them over with -AllowUnmapped.");

    /// <exception cref="CheckpointException">The result would be wrong; all reasons of the first kind are listed.</exception>
    public static void Require(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, ArchitectureChoice choice)
    {
        var (architecture, origin) = choice;
        architecture.Validate();

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, architecture),
            $"The weights of '{checkpoint.Path}' contradict the architecture '{architecture.Name}' ({origin})",
            "Name the architecture that the model was trained with, or make it with New-LlamaArchitecture."
                + (checkpoint.ShardCount > 1 || checkpoint.IsShard ? " Look whether files of the checkpoint are missing, too." : ""));

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindMissing(tensors, architecture),
            $"'{checkpoint.Path}' lacks parameters of the architecture '{architecture.Name}' ({origin})",
            "If tensors were filtered, keep these. Where the output is tied to the embeddings, use an architecture with TiedEmbeddings.");
    }

    /// <summary>The ranks to be written, each once.</summary>
    /// <exception cref="CheckpointException">There are no such ones, or they are too few for a checklist.</exception>
    public static IEnumerable<int> RequireShards(ReferenceExportOptions options, int count)
    {
        var ranks = options.ShardIndex;

        CheckpointException.ThrowIfAny(
            from rank in ranks
            where rank < 0 || rank >= count
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"{rank}"),
            "There are no shards with these indexes",
            count == 1 ? "The only one is 0; -ShardCount gives more." : $"The first of {count} is 0 and the last {count - 1}.");

        if (options.Checklist && ranks.Length > 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.MissingShard,
                "A checklist names every shard, and those that other jobs write are not known here. Leave -Checklist out with -ShardIndex, and"
                + $" when all jobs are done run: md5sum consolidated.*.pth params.json > {PlannedChecklist.FileName}");
        }

        return ranks.IsEmpty ? Enumerable.Range(0, count) : ranks.Distinct().Order();
    }

    /// <exception cref="CheckpointException">Tensors are to be cast, and libtorch can't be loaded.</exception>
    public static void RequireArithmetic(IEnumerable<PlannedFile> files)
    {
        if (files.OfType<PlannedTorchFile>().SelectMany(file => file.Layout.Storages).Any(storage => storage.IsCast))
        {
            TensorMath.Get();
        }
    }

    /// <exception cref="CheckpointException">Shards that are there already are of another export.</exception>
    public static void RequireSiblings(IReadOnlyCollection<string> foreign, string destinationPath, bool force)
    {
        if (foreign.Count > 0 && !force)
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{destinationPath}' holds shards of another export: {string.Join(", ", foreign.Select(path => Path.GetFileName(path)))}. Choose another"
                + " folder, or begin to replace them with -Force.",
                destinationPath);
        }
    }

    public static IEnumerable<string> Warn(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, ReferenceExportOptions options)
    {
        foreach (var tensor in tensors.Where(tensor => tensor.ParsedName.Parameter is null))
        {
            yield return $"'{tensor.Name}' is no parameter of LLaMA; it is carried over as '{ReferenceExport.NewNameOf(tensor)}'.";
        }

        foreach (var warning in options.Architecture is null ? checkpoint.Config?.Warnings ?? [] : [])
        {
            yield return warning;
        }

        foreach (var file in options.Verification == VerificationMode.None ? [] : checkpoint.FilesWithoutChecksums)
        {
            yield return $"'{file}' was saved without checksums, so damage to it can't be noticed.";
        }
    }

    /// <summary>Comes before all others: where names or shapes are damaged, whatever is said of them would mislead.</summary>
    /// <exception cref="CheckpointException">The pickle of a file does not match its checksum.</exception>
    public static void RequireValidPickles(Fairseq2Checkpoint checkpoint, VerificationMode verification)
    {
        if (verification != VerificationMode.None && checkpoint.FilesWithInvalidPickleChecksum.FirstOrDefault() is { } file)
        {
            throw ChecksumMismatch.Of(file, "data.pkl");
        }
    }
}
