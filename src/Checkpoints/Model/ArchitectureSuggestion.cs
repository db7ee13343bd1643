using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Model;

/// <summary>A command that makes an architecture of what weights show.</summary>
internal static class ArchitectureSuggestion
{
    /// <summary>A command with everything that the shapes show. They do not show the number of heads.</summary>
    public static string Of(IReadOnlyCollection<CheckpointTensor> tensors)
    {
        var layers = tensors.Max(tensor => (long?)tensor.Layer) + 1;
        var sizes = Enum.GetValues<LlamaDim>().ToDictionary(dim => dim, dim => FindSize(tensors, dim));

        return $"New-LlamaArchitecture -Name … -ModelDim {Show(sizes[LlamaDim.ModelDim])} -NumLayers {Show(layers)} -NumAttnHeads …"
            + $" -NumKeyValueHeads … -VocabSize {Show(sizes[LlamaDim.VocabSize])}"
            + $" -FfnInnerDimMultipleOf …, where key/value heads x head dim is {Show(sizes[LlamaDim.KeyValueDim])} and the inner dim of the FFN is"
            + $" {Show(sizes[LlamaDim.FfnInnerDim])}. The configuration of the training run has the values that the shapes do not show.";
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
}
