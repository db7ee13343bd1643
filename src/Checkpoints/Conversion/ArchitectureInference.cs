using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama.Conversion;

/// <summary>Finds the architecture that the shapes of the weights leave possible, where the user named none.</summary>
internal static class ArchitectureInference
{
    /// <summary>
    /// The one that fits. If several fit and the format does not distinguish them (llama3_8b and llama3_1_8b in params.json), the first.
    /// </summary>
    /// <exception cref="CheckpointException">None fits, or several that the format distinguishes.</exception>
    public static LlamaArchitecture Infer(IReadOnlyCollection<CheckpointTensor> tensors, OutputFormat format, string checkpoint)
    {
        if (tensors.All(tensor => tensor.ParsedName.Parameter is null))
        {
            throw Required(checkpoint, "none of its tensors is a parameter of LLaMA. Check that the checkpoint is a LLaMA.");
        }

        var candidates = LlamaArchitectures.All
            .Where(architecture => !ArchitectureCheck.FindContradictions(tensors, architecture).Any())
            .ToArray();

        if (candidates.Length == 0)
        {
            throw Required(
                checkpoint,
                $"no known architecture has its shapes. Make one and pass it with -Architecture: {Suggest(tensors)}");
        }

        return RequireOne(candidates, format, $"The architecture of '{checkpoint}' can't be determined: its shapes fit");
    }

    /// <summary>The only one; or the first, where the format writes the same for all.</summary>
    /// <param name="candidates">At least one.</param>
    /// <param name="format">The format to be written.</param>
    /// <param name="whatFits">The beginning of a message; their names follow.</param>
    /// <exception cref="CheckpointException">The format distinguishes them.</exception>
    public static LlamaArchitecture RequireOne(IReadOnlyList<LlamaArchitecture> candidates, OutputFormat format, string whatFits) =>
        candidates.Select(candidate => Convert.ToHexString(format.WriteConfig(candidate))).Distinct().Count() == 1
            ? candidates[0]
            : throw new CheckpointException(
                CheckpointErrorCode.ArchitectureRequired,
                $"{whatFits} {string.Join(" and ", candidates.Select(candidate => candidate.Name))}, for which {format.ConfigFileName} differs."
                + " Pass the right one with -Architecture.");

    /// <summary>A command with everything that the shapes show. They do not show the number of heads.</summary>
    private static string Suggest(IReadOnlyCollection<CheckpointTensor> tensors)
    {
        var layers = tensors.Max(tensor => (long?)tensor.Layer) + 1;
        var sizes = Enum.GetValues<LlamaDim>().ToDictionary(dim => dim, dim => FindSize(tensors, dim));

        return $"New-LlamaArchitecture -Name … -ModelDim {Show(sizes[LlamaDim.ModelDim])} -NumLayers {Show(layers)} -NumAttnHeads …"
            + $" -NumKeyValueHeads … -VocabSize {Show(sizes[LlamaDim.VocabSize])}"
            + $" -FfnInnerDimMultipleOf …, where key/value heads x head dim is {Show(sizes[LlamaDim.KeyValueDim])} and the inner dim of the FFN is"
            + $" {Show(sizes[LlamaDim.FfnInnerDim])}. The model.yaml of the training run has the values that the shapes do not show.";
    }

    private static long? FindSize(IEnumerable<CheckpointTensor> tensors, LlamaDim dim)
    {
        foreach (var tensor in tensors)
        {
            var place = tensor.ParsedName.Parameter?.Dims.IndexOf(dim) ?? -1;

            if (place >= 0 && place < tensor.Shape.Count)
            {
                return tensor.Shape[place];
            }
        }

        return null;
    }

    private static string Show(long? number) => number is null ? "…" : $"{number}";

    private static CheckpointException Required(string checkpoint, string what) => new(
        CheckpointErrorCode.ArchitectureRequired, $"The architecture of '{checkpoint}' can't be determined: {what}", checkpoint);
}
