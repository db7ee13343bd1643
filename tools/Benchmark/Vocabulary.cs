using System.Globalization;

namespace Fairseq2Llama.Benchmark;

/// <summary>Makes a tokenizer.model as Meta's of LLaMA 3 is, with as many tokens as a model has, which stand for bytes one by one, in pairs and in threes.</summary>
internal static class Vocabulary
{
    /// <summary>After the tokens of that file come as many that have a meaning of their own.</summary>
    private const int SpecialCount = 256;

    public static void Write(string path, LlamaArchitecture architecture) => File.WriteAllLines(
        path,
        Tokens().Take(architecture.VocabSize - SpecialCount).Select((token, rank) => string.Create(CultureInfo.InvariantCulture, $"{Convert.ToBase64String(token)} {rank}")));

    private static IEnumerable<byte[]> Tokens()
    {
        for (var length = 1; length <= 3; length++)
        {
            for (var number = 0; number < 1 << (8 * length); number++)
            {
                yield return [.. Enumerable.Range(0, length).Select(place => (byte)(number >> (8 * place)))];
            }
        }
    }
}
