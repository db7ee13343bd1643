using Fairseq2Llama.Reference;

namespace Fairseq2Llama.Llama;

/// <summary>Finds the architecture that the shapes of the weights leave possible, where the user named none.</summary>
internal static class ArchitectureInference
{
    /// <summary>
    /// The one that fits. Where several do and their params.json would be the same (llama3_8b and llama3_1_8b), the first.
    /// </summary>
    /// <exception cref="CheckpointException">None fits, or several whose params.json would differ.</exception>
    public static LlamaArchitecture Infer(IReadOnlyCollection<CheckpointTensor> tensors, ParamsLayout layout, string checkpoint)
    {
        if (tensors.All(tensor => tensor.ParsedName.Parameter is null))
        {
            throw Required(checkpoint, "none of its tensors is a parameter of LLaMA. Check that it is one.");
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

        var distinct = candidates.Select(candidate => Convert.ToHexString(ReferenceParams.Write(candidate, layout))).Distinct();

        return distinct.Count() == 1
            ? candidates[0]
            : throw Required(
                checkpoint,
                $"its shapes fit {string.Join(" and ", candidates.Select(candidate => candidate.Name))}, whose params.json differ."
                + " Pass the right one with -Architecture.");
    }

    /// <summary>A command with everything in it that shapes tell; the number of heads is not among it.</summary>
    private static string Suggest(IReadOnlyCollection<CheckpointTensor> tensors)
    {
        var layers = tensors.Max(tensor => (long?)tensor.Layer) + 1;
        var sizes = Enum.GetValues<LlamaDim>().ToDictionary(dim => dim, dim => FindSize(tensors, dim));

        return $"New-LlamaArchitecture -Name … -ModelDim {Show(sizes[LlamaDim.ModelDim])} -NumLayers {Show(layers)} -NumAttnHeads …"
            + $" -NumKeyValueHeads … -VocabSize {Show(sizes[LlamaDim.VocabSize])}"
            + $" -FfnInnerDimMultipleOf …, where key/value heads x head dim is {Show(sizes[LlamaDim.KeyValueDim])} and the FFN's inner dim"
            + $" {Show(sizes[LlamaDim.FfnInnerDim])}; what the shapes do not tell stands in the model.yaml of the training run.";
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
        CheckpointErrorCode.ArchitectureRequired, $"The architecture of '{checkpoint}' is not clear: {what}", checkpoint);
}
