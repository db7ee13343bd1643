using System.Security.Cryptography;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tests.Support;

/// <summary>The data of a tensor, for comparison with what PyTorch says.</summary>
internal static class TensorBytes
{
    /// <summary>Its elements in row-major order, little-endian, whatever the file holds.</summary>
    public static byte[] Of(TensorView tensor) => Of(PlannedStorage.Of(tensor));

    /// <summary>What an export would write for it.</summary>
    public static byte[] Of(PlannedStorage storage)
    {
        using var scratch = ScratchFolder.Temporary();
        using var copier = new StorageCopier(scratch, VerificationPolicy.Of(VerificationMode.Auto));
        var bytes = new MemoryStream();

        copier.Copy(storage, chunk => bytes.Write(chunk), CancellationToken.None);
        return bytes.ToArray();
    }

    public static string Sha256(TensorView tensor) => Convert.ToHexStringLower(SHA256.HashData(Of(tensor)));
}
