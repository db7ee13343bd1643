using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fairseq2Llama.Manifests;

/// <summary>One hash for all tensors of a model.</summary>
internal static class ModelHash
{
    /// <summary>
    /// The SHA-256 of a line for each tensor, in ordinal order of the names: <c>NAME DTYPE [SIZE, SIZE] SHA256</c> and a line feed, in UTF-8. The names and types of PyTorch.
    /// </summary>
    public static string Of(IEnumerable<(string Name, DType DType, TensorShape Shape, string Sha256)> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        foreach (var (name, dtype, shape, sha256) in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            var sizes = string.Join(", ", shape.Sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {dtype.GetTorchName()} [{sizes}] {sha256}\n"));
        }

        return hash.Finish();
    }
}
