using System.Text.Json;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>The tokenizers of tests/data, and the models that they are for.</summary>
internal static class TokenizerData
{
    /// <summary>The numbers of tokens in the two tokenizer.model.</summary>
    public const int Pieces = 420, Ranks = 320;

    public static readonly LlamaArchitecture Llama2 = new() { Name = "llama2", VocabSize = Pieces };

    public static readonly LlamaArchitecture Llama3 = new() { Name = "llama3", VocabSize = Ranks + Llama3Tokens.Count };

    public static readonly LlamaArchitecture Llama31 = Llama3 with { Name = "llama3_1", RopeScaleFactor = 8 };

    public static readonly SpecialTokens Llama2Tokens = new([1], [2]), BaseTokens = new([Ranks], [Ranks + 1]);

    private static readonly Lazy<JsonDocument> Encoded = new(() => JsonDocument.Parse(File.ReadAllBytes(PathOf("encoded.json"))));

    public static IReadOnlyList<string> Texts { get; } = [.. Encoded.Value.RootElement.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!)];

    public static string PathOf(string name) => Repository.Data($"tokenizers/{name}");

    /// <summary>What SentencePiece or tiktoken made of the texts.</summary>
    public static IEnumerable<int[]> EncodedBy(string program) =>
        Encoded.Value.RootElement.GetProperty(program).EnumerateArray().Select(ids => ids.EnumerateArray().Select(id => id.GetInt32()).ToArray());

    public static TokenizerModel Model(string kind) => TokenizerModel.Read(LocalFolder.FileAt(PathOf($"{kind}/tokenizer.model")).Source);
}
