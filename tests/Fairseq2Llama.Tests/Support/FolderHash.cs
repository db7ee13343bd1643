using System.Security.Cryptography;

namespace Fairseq2Llama.Tests.Support;

/// <summary>What tells whether the files of two folders are the same.</summary>
internal static class FolderHash
{
    /// <returns>A line for each file.</returns>
    public static string Of(string folder) => string.Join(
        "\n",
        from file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
        select $"{Path.GetFileName(file)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}");
}
