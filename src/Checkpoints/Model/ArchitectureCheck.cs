using System.Globalization;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Model;

/// <summary>Compares the tensors of a checkpoint with an architecture: unknown names, contradicting shapes, absent parameters.</summary>
internal static class ArchitectureCheck
{
    /// <summary>More are never read, and a model.yaml with a hundred million layers must not make us name the parameters of each.</summary>
    private const int MaxMissing = 10_000;

    public static IEnumerable<CheckpointFinding> Run(IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture architecture) =>
        FindContradictions(tensors, architecture).Concat(FindUnmapped(tensors)).Concat(FindNonFloating(tensors)).Concat(FindMissing(tensors, architecture));

    /// <summary>Every dimension that the shapes reveal and that is another in the architecture, once.</summary>
    public static IEnumerable<CheckpointFinding> FindContradictions(
        IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture architecture)
    {
        var layers = CountLayers(tensors);

        if (layers > 0 && layers != architecture.NumLayers)
        {
            yield return Contradiction(
                $"NumLayers is {architecture.NumLayers} in the architecture and {layers} in the weights");
        }

        if (tensors.FirstOrDefault(tensor => tensor.HalfSplitHeadDim is { } told && told != architecture.HeadDim) is { } rotary)
        {
            yield return Contradiction($"HeadDim is {architecture.HeadDim} in the architecture and {rotary.HalfSplitHeadDim} in the checkpoint, whose rows are ordered by it");
        }

        var seen = new HashSet<(LlamaDim Dim, long Size)>();

        foreach (var tensor in tensors)
        {
            if (tensor.ParsedName.Parameter is not { } parameter)
            {
                continue;
            }

            if (tensor.Shape.Count != parameter.Dims.Length)
            {
                yield return Contradiction(
                    $"'{tensor.Name}' has {Quantity.Of(tensor.Shape.Count, "dimension")}, not {parameter.Dims.Length}", tensor.Name);
                continue;
            }

            foreach (var (dim, size) in parameter.Dims.Zip(tensor.Shape.Sizes))
            {
                if (size != dim.SizeIn(architecture) && seen.Add((dim, size)))
                {
                    yield return Contradiction(Describe(dim, size, architecture, tensor), tensor.Name);
                }
            }
        }
    }

    public static IEnumerable<CheckpointFinding> FindUnmapped(IEnumerable<CheckpointTensor> tensors) =>
        from tensor in tensors
        where tensor.ParsedName.Parameter is null && !tensor.ParsedName.IsComputed
        select new CheckpointFinding(
            FindingSeverity.Error,
            CheckpointErrorCode.UnmappedTensor,
            $"'{tensor.Name}' is not a parameter of LLaMA",
            tensor.Name);

    /// <summary>Weights that no LLaMA computes with: integers and bool, complex numbers, and the eight-bit floats of quantized models, whose scales lie elsewhere.</summary>
    public static IEnumerable<CheckpointFinding> FindNonFloating(IEnumerable<CheckpointTensor> tensors) =>
        from tensor in tensors
        where tensor.ParsedName.Parameter is not null && tensor.DType is not (DType.Float32 or DType.BFloat16 or DType.Float16 or DType.Float64) && !tensor.DType.IsQuantized()
        select new CheckpointFinding(
            FindingSeverity.Error,
            CheckpointErrorCode.UnsupportedTensor,
            $"'{tensor.Name}' is {tensor.DType.GetTorchName()}, but weights of a LLaMA are float32, bfloat16, float16 or float64",
            tensor.Name);

    /// <summary>Parameters that are not there. Layers that are missing altogether are a contradiction and not named one by one.</summary>
    public static IEnumerable<CheckpointFinding> FindMissing(
        IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture architecture)
    {
        var layers = CountLayers(tensors);
        var expected = layers > 0 && layers < architecture.NumLayers ? architecture with { NumLayers = (int)layers } : architecture;
        var names = tensors.Select(tensor => tensor.Fairseq2Name).ToHashSet(StringComparer.Ordinal);

        var convention = tensors.FirstOrDefault()?.ParsedName.Convention ?? NamingConvention.Fairseq2;

        var missing =
            from parameter in LlamaParameter.All
            where parameter != LlamaParameter.Output || !architecture.TiedEmbeddings
            from fairseq2Name in parameter.NamesIn(expected)
            where !names.Contains(fairseq2Name)
            let name = ParameterName.Parse(fairseq2Name, NamingConvention.Fairseq2).In(convention)
            select new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.MissingTensor,
                parameter == LlamaParameter.Output
                    ? $"'{name}' is missing, but the architecture says that the output is not tied to the embeddings"
                    : $"'{name}' is missing",
                name);

        return missing.Take(MaxMissing);
    }

    private static long CountLayers(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Where(tensor => tensor.ParsedName.Parameter is not null).Max(tensor => (long?)tensor.Layer) + 1 ?? 0;

    private static string Describe(LlamaDim dim, long size, LlamaArchitecture architecture, CheckpointTensor tensor)
    {
        var expected = dim.SizeIn(architecture);
        var meaning = dim == LlamaDim.KeyValueDim
            ? string.Create(CultureInfo.InvariantCulture, $" ({architecture.NumKeyValueHeads} key/value heads of {architecture.HeadDim})")
            : "";

        return $"{dim} is {expected}{meaning} in the architecture and {size} in the weights ('{tensor.Name}' is {tensor.Shape})";
    }

    public static CheckpointFinding Contradiction(string message, string? tensor = null) => new(
        FindingSeverity.Error, CheckpointErrorCode.ArchitectureMismatch, message, tensor);
}
