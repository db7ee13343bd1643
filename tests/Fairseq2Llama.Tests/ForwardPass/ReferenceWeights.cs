using Fairseq2Llama.Tests.Support;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// The weights of a folder in Meta's reference format, by their names there, in float32. What model parallelism has divided is joined as
/// readers do it, by rules of their own: those of the export are what is tested.
/// </summary>
internal static class ReferenceWeights
{
    private static readonly string[] DividedByRows = ["wq", "wk", "wv", "w1", "w3", "output"];

    private static readonly string[] DividedByColumns = ["wo", "w2"];

    /// <returns>Tensors that belong to the caller.</returns>
    public static Dictionary<string, Tensor> Load(string folder, ModelArgs args)
    {
        LibTorch.Require();
        using var scope = NewDisposeScope();

        // Meta's loaders take every *.pth file for the shard of a rank, in the order of their names.
        var ranks = Directory.EnumerateFiles(folder, "*.pth").Order(StringComparer.Ordinal).Select(LoadRank).ToArray();

        return ranks[0].Keys.ToDictionary(
            name => name, name => Join(name, [.. ranks.Select(rank => rank[name])], args).MoveToOuterDisposeScope(), StringComparer.Ordinal);
    }

    private static Dictionary<string, Tensor> LoadRank(string path) =>
        TensorFiles.Read(path).ToDictionary(entry => entry.Name, entry => Load(entry.Tensor), StringComparer.Ordinal);

    private static Tensor Load(TensorView tensor)
    {
        var loaded = (Tensor)LibTorch.Tensors.CreateTensor(tensor.DType, tensor.Shape, sink => sink(TensorBytes.Of(tensor)));
        return loaded.to(ScalarType.Float32);
    }

    private static Tensor Join(string name, Tensor[] ranks, ModelArgs args)
    {
        // layers.0.attention.wq.weight, output.weight
        var module = name.Split('.')[^2];

        return module switch
        {
            _ when DividedByRows.Contains(module) => cat(ranks, 0),
            _ when DividedByColumns.Contains(module) => cat(ranks, 1),
            // LLaMA 3 divides the vocabulary, those before it the model dim.
            "tok_embeddings" => cat(ranks, ranks[0].shape[1] < args.Dim ? 1 : 0),
            _ => ranks[0],
        };
    }
}
