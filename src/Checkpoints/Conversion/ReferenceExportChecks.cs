using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Conversion;

/// <summary>What must hold before an export to the reference format is worth planning, and what to warn of.</summary>
internal static class ReferenceExportChecks
{
    private const int FindingsShown = 10;

    /// <summary>Comes before all others: in a file that is no LLaMA, shapes and missing parameters would only distract.</summary>
    /// <exception cref="CheckpointException">There are tensors that LLaMA does not have, and they are not allowed.</exception>
    public static void RequireMapped(
        Fairseq2Checkpoint checkpoint, IEnumerable<CheckpointTensor> tensors, ReferenceExportOptions options) =>
        RequireNone(
            options.AllowUnmapped ? [] : ArchitectureCheck.FindUnmapped(tensors),
            $"'{checkpoint.Path}' holds what LLaMA does not have",
            "Filter the tensors with Get-CheckpointTensor and Where-Object, or carry them over with -AllowUnmapped.");

    /// <exception cref="CheckpointException">The result would be wrong; all reasons of the first kind are listed.</exception>
    public static void Require(
        Fairseq2Checkpoint checkpoint,
        IReadOnlyCollection<CheckpointTensor> tensors,
        LlamaArchitecture architecture,
        ReferenceExportOptions options)
    {
        architecture.Validate();

        RequireNone(
            ArchitectureCheck.FindContradictions(tensors, architecture),
            $"The weights of '{checkpoint.Path}' contradict the architecture '{architecture.Name}'",
            "Name the architecture that the model was trained with, or make it with New-LlamaArchitecture.");

        RequireNone(
            ArchitectureCheck.FindMissing(tensors, architecture),
            $"'{checkpoint.Path}' lacks parameters of the architecture '{architecture.Name}'",
            "If tensors were filtered, keep these. Where the output is tied to the embeddings, use an architecture with TiedEmbeddings.");

        RequireTiedOutputByRows(checkpoint, tensors);
    }

    public static IEnumerable<string> Warn(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, ReferenceExportOptions options)
    {
        foreach (var tensor in tensors.Where(tensor => tensor.ParsedName.Parameter is null))
        {
            yield return $"'{tensor.Name}' is no parameter of LLaMA; it is carried over as '{ReferenceExport.NewNameOf(tensor)}'.";
        }

        foreach (var file in options.Verification == VerificationMode.None ? [] : checkpoint.FilesWithoutChecksums)
        {
            yield return $"'{file}' was saved without checksums, so damage to it can't be noticed.";
        }
    }

    private static void RequireNone(IEnumerable<CheckpointFinding> findings, string what, string remedy)
    {
        var found = findings.ToArray();

        if (found.Length == 0)
        {
            return;
        }

        var shown = string.Join("; ", found.Take(FindingsShown).Select(finding => finding.Message));
        var more = found.Length > FindingsShown ? $"; and {found.Length - FindingsShown} more" : "";
        throw new CheckpointException(found[0].Code, $"{what}: {shown}{more}. {remedy}", found[0].Tensor);
    }

    /// <summary>
    /// A tied output becomes the embedding table of the same shard. Readers join the output along the vocabulary, so that is right only where
    /// the table is split that way, too.
    /// </summary>
    private static void RequireTiedOutputByRows(Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors)
    {
        if (ReferenceExport.IsOutputAbsent(tensors)
            && tensors.Any(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding && tensor.SplitDim == 1))
        {
            throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"The output of '{checkpoint.Path}' is tied to embeddings that are split along the model dim, and the reference format wants it"
                + " split along the vocabulary. Save the model without tensor parallelism.",
                checkpoint.Path);
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
