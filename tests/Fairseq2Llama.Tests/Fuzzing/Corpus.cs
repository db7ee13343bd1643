using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>The files of tests/data, which PyTorch wrote, as beginnings of what it never would write.</summary>
internal static class Corpus
{
    public static IReadOnlyList<byte[]> Files { get; } = Read();

    public static IReadOnlyList<byte[]> Archives { get; } = [.. Files.Where(file => file is [(byte)'P', (byte)'K', 3, 4, ..])];

    /// <summary>Pickles in a row, with storages behind them.</summary>
    public static IReadOnlyList<byte[]> Legacy { get; } = [.. Files.Where(file => file is [0x80, 2, ..])];

    /// <summary>Those of tests/data/safetensors.</summary>
    public static IReadOnlyList<byte[]> SafeTensors { get; } =
        [.. Directory.EnumerateFiles(Repository.Data("safetensors"), "*.safetensors").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>Those of tests/data/distributed.</summary>
    public static IReadOnlyList<byte[]> Metadata { get; } =
        [.. Directory.EnumerateFiles(Repository.Data("distributed"), ".metadata", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    public static byte[] Pick(this IReadOnlyList<byte[]> files, Random random) => (byte[])files[random.Next(files.Count)].Clone();

    private static byte[][] Read() =>
        [.. Directory.EnumerateFiles(Repository.Data(""), "*.p*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".pt" or ".pkl")
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(file => file.Length > 0)];
}
