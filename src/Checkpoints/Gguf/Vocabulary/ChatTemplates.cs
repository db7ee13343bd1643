using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>
/// The templates of conversations: that of tokenizer_config.json, even if it says that there is none, else that of the file for it. Without tokenizer_config.json
/// there is none, as with the converter.
/// </summary>
/// <param name="Default">The one that is used without asking for another; null for none.</param>
/// <param name="Named">Others, by their names.</param>
internal sealed record ChatTemplates(string? Default, ImmutableArray<(string Name, string Template)> Named)
{
    private const int MaxLength = 16 << 20;

    private const string Name = "chat_template";

    public static ChatTemplates Read(TokenizerFiles files, JsonSettings? config) =>
        config?.Names.Any() != true ? new(null, [])
        : config.Has(Name) ? In(config)
        : files.SourceOf(TokenizerFiles.ChatTemplate) is { } jinja ? new(ReadText(jinja), [])
        : files.SourceOf(TokenizerFiles.ChatTemplateJson) is { } json ? In(JsonSettings.Read(json))
        : new(null, []);

    public void Write(MetadataWriter keys)
    {
        const string Key = "tokenizer.chat_template";

        foreach (var (name, template) in Named)
        {
            keys.Add($"{Key}.{name}", template);
        }

        keys.Add($"{Key}s", [.. Named.Select(named => named.Name).Distinct()]);
        keys.Add(Key, Default ?? "");
    }

    private static ChatTemplates In(JsonSettings settings)
    {
        if (settings.KindOf(Name) != JsonValueKind.Array)
        {
            return new(settings.Text(Name), []);
        }

        (string Name, string Template)[] all =
        [
            .. from choice in settings.Objects(Name)
               let name = Clean(choice.Text("name") ?? "")
               let template = choice.Text("template")
               where name.Length > 0 && template is not null
               select (name, template),
        ];

        return new(all.LastOrDefault(choice => choice.Name == "default").Template, [.. all.Where(choice => choice.Name != "default")]);
    }

    private static string Clean(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    /// <summary>Python makes all line breaks the same.</summary>
    private static string ReadText(IByteSource file)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(WholeFile.ReadText(file, MaxLength).Span).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        }
        catch (DecoderFallbackException)
        {
            throw CheckpointException.Corrupt(file.Name, "it holds text that is not valid Unicode.");
        }
    }
}
