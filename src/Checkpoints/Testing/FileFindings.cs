using Fairseq2Llama.Conversion;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Model;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Testing;

/// <summary>Findings about the files of a checkpoint and about those beside them.</summary>
internal static class FileFindings
{
    public static IEnumerable<CheckpointFinding> FindDamagedPickles(LlamaCheckpoint checkpoint) =>
        from file in checkpoint.FilesWithInvalidPickleChecksum
        from finding in ChecksumMismatch.Of(file, "data.pkl").Findings
        select finding;

    public static IEnumerable<CheckpointFinding> FindSkippedSteps(LlamaCheckpoint checkpoint) =>
        from warning in checkpoint.Warnings
        select Warning(CheckpointErrorCode.MissingShard, warning.TrimEnd('.'), checkpoint.Path);

    public static IEnumerable<CheckpointFinding> FindUnrecognizedFiles(Fairseq2Checkpoint checkpoint) =>
        from file in checkpoint.UnrecognizedFiles
        select Warning(CheckpointErrorCode.CheckpointUnrecognized, $"'{file}' is not part of the checkpoint and is not read", file);

    public static IEnumerable<CheckpointFinding> FindWithoutChecksums(LlamaCheckpoint checkpoint) =>
        MissingChecksums.Describe(checkpoint) is { } missing
            ? [Warning(CheckpointErrorCode.CheckpointCorrupt, missing, checkpoint.FilesWithoutChecksums.First())]
            : [];

    public static IEnumerable<CheckpointFinding> FindNonTensors(Fairseq2Checkpoint checkpoint) =>
        from key in checkpoint.NonTensors
        select Warning(CheckpointErrorCode.UnsupportedTensor, $"'{key}' in the state dict is not a tensor; an export omits it", null);

    public static IEnumerable<CheckpointFinding> FindIgnoredTensors(LlamaCheckpoint checkpoint) =>
        from tensor in checkpoint.IgnoredTensors
        select new CheckpointFinding(FindingSeverity.Warning, CheckpointErrorCode.UnsupportedTensor, ExportChecks.DescribeIgnored(tensor, checkpoint), tensor);

    /// <summary>A finding if tensors are quantized and the format that the user has named can't hold them.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="target">The format that it is going to be exported to; null if that is not known.</param>
    public static IEnumerable<CheckpointFinding> FindQuantized(LlamaCheckpoint checkpoint, CheckpointFormat? target)
    {
        if (target is { } format
            && CheckpointFormats.Of(format) is { HoldsQuantized: false } descriptor
            && checkpoint.Tensors.FirstOrDefault(tensor => tensor.DType.IsQuantized()) is { } quantized)
        {
            yield return new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.UnsupportedTensor,
                $"{ExportChecks.DescribeQuantized(quantized)}, and {descriptor.Name} can't hold them; an export needs -DType, which dequantizes them",
                quantized.Name);
        }
    }

    public static IEnumerable<CheckpointFinding> FindSlipsInConfig(LlamaCheckpoint checkpoint) =>
        from warning in checkpoint.ArchitectureFile?.Warnings ?? []
        select Warning(CheckpointErrorCode.ArchitectureUnknown, warning, checkpoint.ArchitectureFile!.Path);

    /// <summary>A finding if the file beside the weights contradicts the user.</summary>
    public static IEnumerable<CheckpointFinding> FindContradictionsToConfig(LlamaCheckpoint checkpoint, LlamaArchitecture named)
    {
        if (checkpoint.ArchitectureFile is { Error: { } error } damaged)
        {
            yield return Warning(error.Code, error.Message, damaged.Path);
        }

        if (checkpoint.ArchitectureFile is { } config && config.Contradict(named) is { } contradiction)
        {
            yield return Warning(CheckpointErrorCode.ArchitectureMismatch, $"{contradiction}, as in '{named.Name}'", config.Path);
        }
    }

    private static CheckpointFinding Warning(CheckpointErrorCode code, string message, string? file) =>
        new(FindingSeverity.Warning, code, message, File: file);
}
