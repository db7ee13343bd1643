using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Merging;

/// <summary>
/// A LoRA as fairseq2 0.2 to 0.4 has it in state dicts (nn/lora.py): <c>X.lora_A</c> and <c>X.lora_B</c> beside <c>X.weight</c>, which is also <c>X.wrapped.weight</c>. Its alpha is in no file.
/// </summary>
internal static class NativeLora
{
    private const string A = "lora_A";
    private const string B = "lora_B";
    private const string Wrapped = "wrapped." + LlamaParameter.Suffix;

    /// <summary>Whether it is a matrix of a LoRA.</summary>
    public static bool IsMatrix(CheckpointTensor tensor) => tensor.ParsedName.Suffix is A or B;

    /// <summary>Whether it is the weight of a module, under its second name.</summary>
    public static bool IsWrapped(CheckpointTensor tensor) => tensor.ParsedName.Suffix == Wrapped;

    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="alpha">LoRAConfig's alpha; null if the user did not give it.</param>
    /// <exception cref="CheckpointException">A matrix is missing, or alpha is.</exception>
    public static ImmutableArray<LoraMatrices> In(LlamaCheckpoint checkpoint, double? alpha)
    {
        var modules = checkpoint.Tensors.Where(IsMatrix).GroupBy(tensor => tensor.ParsedName.OfWeight().Name, StringComparer.Ordinal).ToArray();

        if (modules.Length == 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.AdapterNotFound,
                $"'{checkpoint.Path}' has no LoRA: neither PEFT's {PeftConfig.FileName}, nor tensors whose names end with {A} and {B}. Give the path of an adapter with -AdapterPath.",
                checkpoint.Path);
        }

        return alpha is { } given
            ? [.. modules.Select(module => MatricesOf(module.Key, [.. module], given, checkpoint))]
            : throw new CheckpointException(
                CheckpointErrorCode.AdapterMismatch,
                $"The LoRA in '{checkpoint.Path}' is scaled by alpha / r, and fairseq2 saves alpha nowhere. Give the one that the model was trained with, -Alpha; fairseq2's own for LLaMA is 16.",
                checkpoint.Path);
    }

    private static LoraMatrices MatricesOf(string weight, CheckpointTensor[] tensors, double alpha, LlamaCheckpoint checkpoint)
    {
        var (a, b) = (Find(A), Find(B));

        return a.Shape.Count == 2 && b.Shape.Count == 2 && a.Shape[0] == b.Shape[1] && a.Shape[0] > 0
            ? new LoraMatrices(a.ParsedName.OfWeight(), a, b, alpha / a.Shape[0])
            : throw new CheckpointException(
                CheckpointErrorCode.AdapterMismatch, $"'{a.Name}' and '{b.Name}' in '{checkpoint.Path}' are {a.Shape} and {b.Shape}, which can't be multiplied. The files are damaged, or not of one model.", a.Name);

        CheckpointTensor Find(string suffix) => Array.Find(tensors, tensor => tensor.ParsedName.Suffix == suffix)
            ?? throw new CheckpointException(CheckpointErrorCode.AdapterMismatch, $"'{weight}' has no {suffix} in '{checkpoint.Path}'. The file is not whole.", weight);
    }
}
