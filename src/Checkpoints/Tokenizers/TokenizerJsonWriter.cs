using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// Writes tokenizer.json of a tokenizer.model, as transformers 4 makes it: LlamaConverter and TikTokenConverter in convert_slow_tokenizer.py, and Llama3Converter in
/// convert_llama_weights_to_hf.py, as it is since LLaMA 3.2. Merges are texts with a space between the parts, which all versions of tokenizers read.
/// </summary>
internal sealed class TokenizerJsonWriter
{
    private const string Space = "▁";

    private readonly Utf8JsonWriter _json;

    private TokenizerJsonWriter(Utf8JsonWriter json) => _json = json;

    /// <param name="model">A model of byte-pair encoding.</param>
    /// <param name="json">What is made of it.</param>
    public static byte[] Write(SentencePieceModel model, TokenizerJson json) => Write(json.AddedTokens, writer => writer.WriteSentencePiece(model, json));

    /// <param name="model">LLaMA 3's.</param>
    /// <param name="json">What is made of it.</param>
    public static byte[] Write(TiktokenModel model, TokenizerJson json) => Write(json.AddedTokens, writer => writer.WriteTiktoken(model, json));

    /// <summary>No part of a web page, but a file that people look into.</summary>
    private static byte[] Write(ImmutableArray<AddedToken> added, Action<TokenizerJsonWriter> write) => JsonConfigWriter.Write(
        json =>
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAdded(json, added);
            write(new TokenizerJsonWriter(json));
            json.WriteEndObject();
        },
        JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    private static void WriteAdded(Utf8JsonWriter json, ImmutableArray<AddedToken> added)
    {
        json.WriteStartArray("added_tokens");

        foreach (var token in added)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", token.IsSpecial);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteSentencePiece(SentencePieceModel model, TokenizerJson json)
    {
        _json.WriteStartObject("normalizer");
        _json.WriteString("type", "Sequence");
        _json.WriteStartArray("normalizers");

        if (model.RemoveExtraWhitespaces)
        {
            WriteTyped("Replace", () => WriteReplacement("Regex", @"\A +| +\z", ""));
            WriteTyped("Replace", () => WriteReplacement("Regex", " {2,}", " "));
        }

        if (model.AddDummyPrefix)
        {
            WriteTyped("Prepend", () => _json.WriteString("prepend", Space));
        }

        WriteTyped("Replace", () => WriteReplacement("String", " ", Space));
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteNull("pre_tokenizer");

        if (model.BeginId is { } begin)
        {
            WriteTyped("post_processor", "TemplateProcessing", () => WriteTemplate(begin, model.Pieces[begin].Text));
        }
        else
        {
            _json.WriteNull("post_processor");
        }

        _json.WriteStartObject("decoder");
        _json.WriteString("type", "Sequence");
        _json.WriteStartArray("decoders");
        WriteTyped("Replace", () => WriteReplacement("String", Space, " "));
        WriteTyped("ByteFallback");
        WriteTyped("Fuse");

        if (model.AddDummyPrefix)
        {
            WriteTyped("Strip", () =>
            {
                _json.WriteString("content", " ");
                _json.WriteNumber("start", 1);
                _json.WriteNumber("stop", 0);
            });
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        ImmutableArray<string> tokens = [.. model.Pieces.Select(piece => piece.Text)];
        WriteModel(tokens, json.Merges, model.Pieces[model.UnknownId].Text, model.ByteFallback, ignoreMerges: false);
    }

    private void WriteTiktoken(TiktokenModel model, TokenizerJson json)
    {
        _json.WriteNull("normalizer");
        _json.WriteStartObject("pre_tokenizer");
        _json.WriteString("type", "Sequence");
        _json.WriteStartArray("pretokenizers");
        WriteTyped("Split", () =>
        {
            _json.WriteStartObject("pattern");
            _json.WriteString("Regex", Llama3Tokens.Pattern);
            _json.WriteEndObject();
            _json.WriteString("behavior", "Isolated");
            _json.WriteBoolean("invert", false);
        });
        WriteTyped("ByteLevel", () => WriteByteLevel(addPrefixSpace: false, trimOffsets: true, useRegex: false));
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteStartObject("post_processor");
        _json.WriteString("type", "Sequence");
        _json.WriteStartArray("processors");
        WriteTyped("ByteLevel", () => WriteByteLevel(addPrefixSpace: true, trimOffsets: false, useRegex: true));
        WriteTyped("TemplateProcessing", () => WriteTemplate(model.Count, Llama3Tokens.Begin));
        _json.WriteEndArray();
        _json.WriteEndObject();
        WriteTyped("decoder", "ByteLevel", () => WriteByteLevel(addPrefixSpace: true, trimOffsets: true, useRegex: true));
        WriteModel(model.Tokens, json.Merges, unknown: null, byteFallback: false, ignoreMerges: true);
    }

    private void WriteModel(ImmutableArray<string> tokens, ImmutableArray<Merge> merges, string? unknown, bool byteFallback, bool ignoreMerges)
    {
        _json.WriteStartObject("model");
        _json.WriteString("type", "BPE");
        _json.WriteNull("dropout");
        _json.WriteString("unk_token", unknown);
        _json.WriteNull("continuing_subword_prefix");
        _json.WriteNull("end_of_word_suffix");
        _json.WriteBoolean("fuse_unk", unknown is not null);
        _json.WriteBoolean("byte_fallback", byteFallback);
        _json.WriteBoolean("ignore_merges", ignoreMerges);
        _json.WriteStartObject("vocab");

        for (var id = 0; id < tokens.Length; id++)
        {
            _json.WriteNumber(tokens[id], id);
        }

        _json.WriteEndObject();
        _json.WriteStartArray("merges");

        // One with a space in it could be divided in another place.
        var arePairs = merges.Any(merge => tokens[merge.Left].Contains(' ') || tokens[merge.Right].Contains(' '));

        foreach (var (left, right) in merges)
        {
            if (arePairs)
            {
                _json.WriteStartArray();
                _json.WriteStringValue(tokens[left]);
                _json.WriteStringValue(tokens[right]);
                _json.WriteEndArray();
            }
            else
            {
                _json.WriteStringValue($"{tokens[left]} {tokens[right]}");
            }
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    /// <summary>A token before each text.</summary>
    private void WriteTemplate(int id, string text)
    {
        WriteParts("single", ("SpecialToken", text, 0), ("Sequence", "A", 0));
        WriteParts("pair", ("SpecialToken", text, 0), ("Sequence", "A", 0), ("SpecialToken", text, 1), ("Sequence", "B", 1));
        _json.WriteStartObject("special_tokens");
        _json.WriteStartObject(text);
        _json.WriteString("id", text);
        _json.WriteStartArray("ids");
        _json.WriteNumberValue(id);
        _json.WriteEndArray();
        _json.WriteStartArray("tokens");
        _json.WriteStringValue(text);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private void WriteParts(string name, params ReadOnlySpan<(string Kind, string Id, int Type)> parts)
    {
        _json.WriteStartArray(name);

        foreach (var (kind, id, type) in parts)
        {
            _json.WriteStartObject();
            _json.WriteStartObject(kind);
            _json.WriteString("id", id);
            _json.WriteNumber("type_id", type);
            _json.WriteEndObject();
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteReplacement(string kind, string pattern, string content)
    {
        _json.WriteStartObject("pattern");
        _json.WriteString(kind, pattern);
        _json.WriteEndObject();
        _json.WriteString("content", content);
    }

    private void WriteByteLevel(bool addPrefixSpace, bool trimOffsets, bool useRegex)
    {
        _json.WriteBoolean("add_prefix_space", addPrefixSpace);
        _json.WriteBoolean("trim_offsets", trimOffsets);
        _json.WriteBoolean("use_regex", useRegex);
    }

    private void WriteTyped(string name, string type, Action write)
    {
        _json.WritePropertyName(name);
        WriteTyped(type, write);
    }

    private void WriteTyped(string type, Action? write = null)
    {
        _json.WriteStartObject();
        _json.WriteString("type", type);
        write?.Invoke();
        _json.WriteEndObject();
    }
}
