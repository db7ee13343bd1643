using Fairseq2Llama.Gguf.Writing;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>
/// The tokens with a use, which of them are put around a text, and the template of conversations, as SpecialVocab of gguf-py (vocab.py) gathers them, with all that
/// is peculiar about that: a token that tokenizer_config.json writes as an object has a number, but is not recognized in a template.
/// </summary>
internal sealed class SpecialVocabulary
{
    private static readonly string[] Usual = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

    /// <summary>What the end of a turn may be called.</summary>
    private static readonly string[] Turns = ["eot", "eom"];

    /// <summary>The keys of those that have one.</summary>
    private static readonly Dictionary<string, string> Keys = new()
    {
        ["bos"] = "bos",
        ["eos"] = "eos",
        ["eot"] = "eot",
        ["eom"] = "eom",
        ["unk"] = "unknown",
        ["sep"] = "seperator",
        ["pad"] = "padding",
        ["mask"] = "mask",
    };

    private readonly OrderedSettings<int> _ids = new();
    private readonly OrderedSettings<bool> _isAdded = new();
    private readonly Dictionary<string, Token?> _tokens = [];
    private readonly List<string> _uses;
    private readonly TokenizerJson? _tokenizer;
    private readonly JsonSettings? _config;
    private readonly int? _count;

    /// <param name="tokenizer">tokenizer.json; null where there is none.</param>
    /// <param name="config">tokenizer_config.json; null where there is none.</param>
    /// <param name="tokens">The tokens that config.json names.</param>
    /// <param name="count">The number of tokens that there are, if the numbers of others are left out.</param>
    /// <param name="uses">What tokens are looked for; null for the usual ones.</param>
    public SpecialVocabulary(TokenizerJson? tokenizer, JsonSettings? config, SpecialTokens tokens, int? count, IEnumerable<string>? uses = null)
    {
        (_tokenizer, _config, _count, _uses) = (tokenizer, config?.Names.Any() == true ? config : null, count, [.. uses ?? Usual]);
        ReadTemplates();
        ReadConfig();

        Set("bos", tokens.Begin is [var begin] ? begin : null);

        // Of a list the converter takes none. llama.cpp then ends texts with that of LLaMA 2, or, where there is no SentencePiece, with a comma.
        Set("eos", tokens.End is [var end] ? end : count is null ? tokens.OnlyEnd : null);
    }

    /// <summary>Gives a use to a token, unless another has it.</summary>
    public void Set(string use, int? id)
    {
        if (id is >= 0 && (_count is null || id < _count) && _uses.Contains(use))
        {
            _ids.TryAdd(use, id.Value);
        }
    }

    public void Write(MetadataWriter keys)
    {
        foreach (var (use, id) in _ids.All.Where(entry => Keys.ContainsKey(entry.Name)))
        {
            keys.Add($"tokenizer.ggml.{Keys[use]}_token_id", (uint)id);
        }

        foreach (var (use, isAdded) in _isAdded.All.Where(entry => entry.Name is "bos" or "eos" or "sep"))
        {
            keys.Add($"tokenizer.ggml.add_{use}_token", isAdded);
        }
    }

    private void ReadTemplates()
    {
        if (_tokenizer is null)
        {
            return;
        }

        if (TokenOf("bos") is null or { IsEmpty: true } && TokenOf("cls") is { IsEmpty: false } first)
        {
            _tokens["bos"] = first;
        }

        if (TokenOf("eos") is null or { IsEmpty: true } && TokenOf("sep") is { IsEmpty: false } last)
        {
            _tokens["eos"] = last;
        }

        foreach (var template in _tokenizer.Templates)
        {
            ReadTemplate(template);
        }
    }

    private void ReadTemplate(TokenTemplate template)
    {
        string? first = null, last = null;

        if (template.Single is [var start, .., var stop])
        {
            if ((first = start.SpecialToken) is not null)
            {
                _isAdded["bos"] = _config is null || first == TokenOf("bos")?.Text || first == TokenOf("cls")?.Text;
            }

            if ((last = stop.SpecialToken) is not null)
            {
                ReplaceEnd(last);
                _isAdded["eos"] = true;
            }
        }

        ReadPair([.. template.Pair], first, last);
    }

    /// <summary>A token other than that of tokenizer_config.json ends texts; that one then ends a turn.</summary>
    private void ReplaceEnd(string last)
    {
        if (_config is null || last == TokenOf("eos")?.Text)
        {
            _tokens["eos"] = new Token(last, last);
            return;
        }

        if (Turns.FirstOrDefault(use => !_uses.Contains(use)) is { } use)
        {
            _uses.Add(use);
            _tokens[use] = TokenOf("eos");
        }

        _tokens["eos"] = new Token(last, last);
    }

    /// <summary>Whether a separator stands between two texts: A [sep] [eos] B.</summary>
    private void ReadPair(TemplatePart[] pair, string? first, string? last)
    {
        if (pair.Length == 0)
        {
            return;
        }

        var (start, stop) = (first is not null && pair[0].SpecialToken == first ? 1 : 0, last is not null && pair[^1].SpecialToken == last ? 1 : 0);
        pair = pair[start..Math.Max(start, pair.Length - stop)];

        if (pair is not [{ Sequence: "A" }, _, .., { Sequence: "B" }])
        {
            return;
        }

        var between = pair[1..^1];
        var addsSeparator = (IsSeparator(between[0]) && last is null) || (between.Length == 2 && IsSeparator(between[1]));
        _isAdded["sep"] = addsSeparator;

        if (addsSeparator && TokenOf("sep") is null or { IsEmpty: true })
        {
            _tokens["sep"] = TokenOf("eos");
        }
    }

    private bool IsSeparator(TemplatePart part) => part.SpecialToken is { } text && (text == TokenOf("sep")?.Text || text == TokenOf("eos")?.Text);

    private void ReadConfig()
    {
        if (_config is null)
        {
            return;
        }

        var ids = (_tokenizer?.AddedTokens ?? []).DistinctBy(token => token.Content).ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);

        foreach (var use in _uses.ToArray())
        {
            if (_config.Flag($"add_{use}_token") is { } isAdded)
            {
                _isAdded[use] = isAdded;
            }

            if (TokenOf(use)?.Content is { } content && ids.TryGetValue(content, out var id))
            {
                Set(use, id);
            }
        }
    }

    private Token? TokenOf(string use)
    {
        var name = $"{use}_token";
        return _tokens.TryGetValue(use, out var replaced) ? replaced
            : _config?.TextOrContent(name) is { } content ? new Token(_config.IsObject(name) ? null : content, content)
            : null;
    }

    /// <summary>A special token of tokenizer_config.json.</summary>
    /// <param name="Text">Its text, if it is written as text.</param>
    /// <param name="Content">Its text, also if it is written as an object.</param>
    private sealed record Token(string? Text, string? Content)
    {
        public bool IsEmpty => string.IsNullOrEmpty(Content);
    }

    /// <summary>Settings in the order in which they were first made, as Python's dictionaries have them.</summary>
    private sealed class OrderedSettings<T>
    {
        private readonly List<(string Name, T Value)> _all = [];

        public IReadOnlyList<(string Name, T Value)> All => _all;

        public T this[string name]
        {
            set
            {
                if (!TryAdd(name, value))
                {
                    _all[_all.FindIndex(entry => entry.Name == name)] = (name, value);
                }
            }
        }

        public bool TryAdd(string name, T value)
        {
            if (_all.Exists(entry => entry.Name == name))
            {
                return false;
            }

            _all.Add((name, value));
            return true;
        }
    }
}
