using System.Security.Cryptography;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>What an export has written, by the names in its files: element type, shape and hash of each tensor. Nothing of it knows distributed checkpoints.</summary>
internal static class ExportedWeights
{
    private static readonly string[] DividedByRows = ["wq", "wk", "wv", "w1", "w3", "output"];

    private static readonly string[] DividedByColumns = ["wo", "w2"];

    /// <param name="folder">In Meta's format. What model parallelism has divided is joined as Meta's loaders do it.</param>
    /// <param name="modelDim">The size of the model, by which the two ways to divide embeddings are told apart.</param>
    public static Dictionary<string, string> OfReference(string folder, long modelDim)
    {
        var ranks = Directory.EnumerateFiles(folder, "consolidated.*.pth").Order(StringComparer.Ordinal).Select(TensorFiles.Read).ToArray();
        Assert.All(ranks, rank => Assert.Equal(ranks[0].Select(entry => entry.Name), rank.Select(entry => entry.Name)));

        return ranks[0]
            .Select((entry, i) => (entry.Name, Parts: Array.ConvertAll(ranks, rank => rank[i].Tensor)))
            .ToDictionary(
                tensor => tensor.Name,
                tensor => DimOf(tensor.Name, tensor.Parts[0].Shape[^1] < modelDim) is { } dim && ranks.Length > 1 ? Join(tensor.Parts, dim) : Same(tensor.Parts),
                StringComparer.Ordinal);
    }

    /// <param name="folder">In fairseq2's format, in one file.</param>
    public static Dictionary<string, string> OfFairseq2(string folder) =>
        TensorFiles.Read(Path.Combine(folder, "model.pt")).ToDictionary(entry => entry.Name, entry => Describe(entry.Tensor), StringComparer.Ordinal);

    /// <param name="folder">In Hugging Face's format.</param>
    public static Dictionary<string, string> OfHuggingFace(string folder) => (
        from path in Directory.EnumerateFiles(folder, "*.safetensors")
        let file = new WrittenSafeTensors(File.ReadAllBytes(path))
        from tensor in file.Tensors
        select (tensor.Name, Text: Describe(tensor.DType switch { "F32" => "float32", "BF16" => "bfloat16", var other => other }, tensor.Shape, file.DataOf(tensor))))
        .ToDictionary(tensor => tensor.Name, tensor => tensor.Text, StringComparer.Ordinal);

    public static string Describe(string dtype, IEnumerable<long> shape, byte[] data) => Describe(dtype, shape, Convert.ToHexStringLower(SHA256.HashData(data)));

    public static string Describe(string dtype, IEnumerable<long> shape, string sha256) => $"{dtype} {string.Join('x', shape)} {sha256}";

    private static string Describe(TensorView tensor) => Describe(tensor.DType.GetTorchName(), tensor.Shape.Sizes, TensorBytes.Of(tensor));

    private static string Same(TensorView[] copies) => Assert.Single(copies.Select(Describe).Distinct());

    private static int? DimOf(string name, bool isNarrow) => name.Split('.')[^2] switch
    {
        var module when DividedByRows.Contains(module) => 0,
        var module when DividedByColumns.Contains(module) => 1,
        // LLaMA 3 divides the vocabulary, those before it the model dim.
        "tok_embeddings" => isNarrow ? 1 : 0,
        _ => null,
    };

    private static string Join(TensorView[] parts, int dim)
    {
        long[] shape = [.. parts[0].Shape.Sizes];
        shape[dim] = parts.Sum(part => part.Shape[dim]);
        var rowCount = dim == 0 ? 1 : (int)shape[0];
        byte[][] data = Array.ConvertAll(parts, TensorBytes.Of);

        return Describe(
            parts[0].DType.GetTorchName(),
            shape,
            [.. Enumerable.Range(0, rowCount).SelectMany(row => data.SelectMany(part => part[(row * part.Length / rowCount)..((row + 1) * part.Length / rowCount)]))]);
    }
}
