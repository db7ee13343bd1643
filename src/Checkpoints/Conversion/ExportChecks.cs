using Fairseq2Llama.Formats;
using Fairseq2Llama.Model;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Conversion;

/// <summary>The conditions for planning an export, and its warnings.</summary>
internal static class ExportChecks
{
    /// <summary>The first check: if the file is not a LLaMA, messages about shapes and missing parameters would only distract.</summary>
    /// <exception cref="CheckpointException">There are tensors that LLaMA does not have, by name or by type, and they are not allowed.</exception>
    public static void RequireMapped(
        LlamaCheckpoint checkpoint, IEnumerable<CheckpointTensor> tensors, ExportOptions options) =>
        CheckpointException.ThrowIfAny(
            options.AllowUnmapped ? [] : ArchitectureCheck.FindUnmapped(tensors).Concat(ArchitectureCheck.FindNonFloating(tensors)),
            $"'{checkpoint.Path}' holds tensors that LLaMA does not have",
            "Filter the tensors with Get-CheckpointTensor and Where-Object, or carry them over with -AllowUnmapped.");

    /// <exception cref="CheckpointException">There are quantized tensors, which the format can't hold.</exception>
    public static void RequireUnquantized(LlamaCheckpoint checkpoint, IEnumerable<CheckpointTensor> tensors, OutputFormat format, ExportOptions options)
    {
        var descriptor = CheckpointFormats.Of(format.Format);

        if (!descriptor.HoldsQuantized && options.DType is null && tensors.FirstOrDefault(tensor => tensor.DType.IsQuantized()) is { } quantized)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"{DescribeQuantized(quantized)}, and {descriptor.Name} can't hold them. Export the checkpoint that they were made from, or dequantize them with -DType, which does not bring back"
                    + " what quantization took away.",
                quantized.Name);
        }
    }

    /// <exception cref="CheckpointException">The result would be wrong; all reasons of the first kind are listed.</exception>
    public static void Require(
        LlamaCheckpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, ArchitectureChoice choice, OutputFormat format)
    {
        var (architecture, origin, _) = choice;
        architecture.Validate();

        if (checkpoint is MergedCheckpoint { AssumedHeadDim: { } headDim } && headDim != architecture.HeadDim)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch,
                $"The rows of '{checkpoint.Path}' were merged for heads of {headDim} rows, and those of the architecture '{architecture.Name}' ({origin}) have {architecture.HeadDim}."
                    + " Read the base model with -Architecture, and export without it.",
                checkpoint.Path);
        }

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, architecture).Concat(format.FindContradictions(architecture)),
            $"The weights of '{checkpoint.Path}' contradict the architecture '{architecture.Name}' ({origin})",
            "Name the architecture that the model was trained with, or make it with New-LlamaArchitecture."
                + (checkpoint.ShardCount > 1 || checkpoint.IsShard ? " Also check whether files of the checkpoint are missing." : ""));

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindMissing(tensors, architecture),
            $"'{checkpoint.Path}' lacks parameters of the architecture '{architecture.Name}' ({origin})",
            "If you filtered the tensors, keep these. If the output is tied to the embeddings, use an architecture with TiedEmbeddings.");
    }

    /// <returns>A clause without a full stop.</returns>
    public static string DescribeQuantized(CheckpointTensor first) =>
        $"Tensors of '{first.Owner.Path}' are quantized, such as '{first.Name}', which is {first.DType.GetTorchName()}";

    /// <returns>A clause without a full stop.</returns>
    public static string DescribeIgnored(string tensor, LlamaCheckpoint checkpoint) =>
        $"'{tensor}' of '{checkpoint.Path}' is ignored, as in transformers, because config.json says that the output is tied to the embeddings";

    public static IEnumerable<string> Warn(
        ExportedModel model, ArchitectureChoice choice, OutputFormat format, VerificationPolicy verification)
    {
        foreach (var tensor in model.Tensors.Where(tensor => tensor.ParsedName.Parameter is null))
        {
            yield return $"'{tensor.Name}' is not a parameter of LLaMA; it is carried over as '{model.NewNameOf(tensor)}'.";
        }

        foreach (var name in model.Checkpoint.IgnoredTensors)
        {
            yield return $"{DescribeIgnored(name, model.Checkpoint)}.";
        }

        if (choice.File is null && model.Checkpoint.ArchitectureFile?.Contradict(choice.Architecture) is { } contradiction)
        {
            yield return $"{contradiction}. The export uses the architecture that you named, '{choice.Architecture.Name}'."
                + " To use the one of the file, omit -Architecture.";
        }

        foreach (var warning in choice.File?.Warnings ?? [])
        {
            yield return warning;
        }

        if (choice.File is { Guessed: { } guessed } file && format.TellsMaxSeqLen)
        {
            yield return $"'{file.Path}' does not say {guessed}. {format.ConfigFileName} will have {choice.Architecture.MaxSeqLen} tokens"
                + $" and {(choice.Architecture.RopeScaleFactor is null ? "unscaled" : "scaled")} rotary encoding. If that is wrong, name the architecture with -Architecture.";
        }

        foreach (var loss in format.FindLosses(choice.Architecture))
        {
            yield return loss;
        }

        if (verification.ComparesChecksums && MissingChecksums.Describe(model.Checkpoint) is { } missing)
        {
            yield return $"{missing}.";
        }
    }

    /// <summary>The first check: if names or shapes are damaged, messages about them would mislead.</summary>
    /// <exception cref="CheckpointException">The pickle of a file does not match its checksum.</exception>
    public static void RequireValidPickles(LlamaCheckpoint checkpoint, VerificationPolicy verification)
    {
        if (verification.ComparesChecksums && checkpoint.FilesWithInvalidPickleChecksum.FirstOrDefault() is { } file)
        {
            throw ChecksumMismatch.Of(file, "data.pkl");
        }
    }
}
