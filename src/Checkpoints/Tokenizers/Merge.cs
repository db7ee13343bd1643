namespace Fairseq2Llama.Tokenizers;

/// <summary>A rule of byte-pair encoding: two tokens that become the one that consists of both.</summary>
/// <param name="Left">The number of the first.</param>
/// <param name="Right">The number of the second.</param>
internal readonly record struct Merge(int Left, int Right);
