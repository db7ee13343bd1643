using System.Collections.Immutable;
using System.Text.Json;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// Writes tokenizer_config.json and special_tokens_map.json of a tokenizer.model, as convert_llama_weights_to_hf.py of transformers 4 does since LLaMA 3.2: those
/// of a LlamaTokenizer for LLaMA 1 and 2, and of a PreTrainedTokenizerFast for LLaMA 3.
/// </summary>
internal static class TokenizerConfigWriter
{
    public const string ConfigName = "tokenizer_config.json", MapName = "special_tokens_map.json";

    public static byte[] Write(SentencePieceModel model) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("add_bos_token", model.BeginId is not null);
        json.WriteBoolean("add_eos_token", false);

        // Whoever finds it takes tokenizer.model instead of tokenizer.json.
        if (!model.AddDummyPrefix)
        {
            json.WriteBoolean("add_prefix_space", false);
        }

        WriteDecoder(json, RolesOf(model).OrderBy(role => role.Id).Select(role => (role.Id, role.Text)));
        WriteRoles(json, RolesOf(model), WriteText);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteBoolean("legacy", true);
        WriteUnlimited(json);
        json.WriteStartObject("sp_model_kwargs");
        json.WriteEndObject();
        json.WriteString("tokenizer_class", "LlamaTokenizer");
        json.WriteBoolean("use_default_system_prompt", false);
        json.WriteEndObject();
    });

    /// <param name="model">LLaMA 3's.</param>
    /// <param name="special">The special tokens that follow it.</param>
    /// <param name="tokens">Those that begin and end a text.</param>
    /// <param name="architecture">The architecture.</param>
    public static byte[] Write(TiktokenModel model, ImmutableArray<string> special, SpecialTokens tokens, LlamaArchitecture architecture) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        WriteDecoder(json, special.Select((text, index) => (model.Count + index, text)));
        WriteRoles(json, RolesOf(model, special, tokens), WriteText);
        json.WriteBoolean("clean_up_tokenization_spaces", true);
        json.WriteStartArray("model_input_names");
        json.WriteStringValue("input_ids");
        json.WriteStringValue("attention_mask");
        json.WriteEndArray();
        json.WriteNumber("model_max_length", architecture.MaxSeqLen);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteEndObject();
    });

    public static byte[] WriteMap(SentencePieceModel model) => WriteMap(RolesOf(model));

    public static byte[] WriteMap(TiktokenModel model, ImmutableArray<string> special, SpecialTokens tokens) => WriteMap(RolesOf(model, special, tokens));

    private static byte[] WriteMap(IEnumerable<Role> roles) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        WriteRoles(json, roles, (writer, role) =>
        {
            writer.WriteStartObject(role.Name);
            WriteToken(writer, role.Text);
            writer.WriteEndObject();
        });
        json.WriteEndObject();
    });

    private static IEnumerable<Role> RolesOf(SentencePieceModel model) =>
        from role in new (string Name, int? Id)[]
        {
            ("bos_token", model.BeginId), ("eos_token", model.EndId), ("pad_token", model.PaddingId), ("unk_token", model.UnknownId),
        }
        where role.Id is not null
        let id = role.Id ?? 0
        select new Role(role.Name, id, model.Pieces[id].Text);

    private static IEnumerable<Role> RolesOf(TiktokenModel model, ImmutableArray<string> special, SpecialTokens tokens)
    {
        // Of several, the one that ends a turn.
        int[] ends = [.. tokens.End.Where(IsSpecial)];

        return
            from role in new (string Name, int Id)[] { ("bos_token", tokens.Begin.Where(IsSpecial).FirstOrDefault(model.Count)), ("eos_token", ends.LastOrDefault(model.Count + 1)) }
            select new Role(role.Name, role.Id, special[role.Id - model.Count]);

        bool IsSpecial(int id) => id >= model.Count && id - model.Count < special.Length;
    }

    private static void WriteDecoder(Utf8JsonWriter json, IEnumerable<(int Id, string Text)> tokens)
    {
        json.WriteStartObject("added_tokens_decoder");

        foreach (var (id, text) in tokens)
        {
            json.WriteStartObject(id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            WriteToken(json, text);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteRoles(Utf8JsonWriter json, IEnumerable<Role> roles, Action<Utf8JsonWriter, Role> write)
    {
        foreach (var role in roles)
        {
            write(json, role);
        }
    }

    private static void WriteText(Utf8JsonWriter json, Role role) => json.WriteString(role.Name, role.Text);

    private static void WriteToken(Utf8JsonWriter json, string text)
    {
        json.WriteString("content", text);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("normalized", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("single_word", false);
    }

    /// <summary>transformers' VERY_LARGE_INTEGER, which is int(1e30).</summary>
    private static void WriteUnlimited(Utf8JsonWriter json)
    {
        json.WritePropertyName("model_max_length");
        json.WriteRawValue("1000000000000000019884624838656");
    }

    /// <summary>A token with a use.</summary>
    private readonly record struct Role(string Name, int Id, string Text);
}
