using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// The special tokens of LLaMA 3, which follow those of its tokenizer.model (DEFAULT_LLAMA_SPECIAL_TOKENS in transformers' convert_llama_weights_to_hf.py). Those
/// of LLaMA 3 and of 3.1 to 3.3 differ in four names.
/// </summary>
internal static class Llama3Tokens
{
    public const string Begin = "<|begin_of_text|>";

    /// <summary>How many there are.</summary>
    public const int Count = 256;

    /// <summary>The expression that divides a text before it is encoded.</summary>
    public const string Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Those of LLaMA 3.</summary>
    public static readonly ImmutableArray<string> OfVersion3 = List(
        Begin, "<|end_of_text|>", null, null, null, null, "<|start_header_id|>", "<|end_header_id|>", null, "<|eot_id|>");

    /// <summary>Those of LLaMA 3.1, 3.2 and 3.3.</summary>
    public static readonly ImmutableArray<string> OfVersion31 = List(
        Begin, "<|end_of_text|>", null, null, "<|finetune_right_pad_id|>", null, "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>");

    /// <summary>Those of a model. What tells LLaMA 3.1 from 3 is that its rotary encoding is scaled.</summary>
    public static ImmutableArray<string> Of(LlamaArchitecture architecture) => architecture.RopeScaleFactor is null ? OfVersion3 : OfVersion31;

    /// <param name="first">The first of them; null for one without a use. All others have none either.</param>
    private static ImmutableArray<string> List(params string?[] first)
    {
        var reserved = 0;
        return [.. first.Concat(Enumerable.Repeat<string?>(null, Count - first.Length)).Select(name => name ?? $"<|reserved_special_token_{reserved++}|>")];
    }
}
