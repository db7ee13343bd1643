using System.Text;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>tokenizer.json, as far as GGUF files need it.</summary>
public sealed class TokenizerJsonTests
{
    private const string Valid = """{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}""";

    [Fact]
    public void Both_ways_to_write_merges_are_one()
    {
        var texts = ReadFile("converted/tiktoken/tokenizer.json");
        var pairs = ReadFile("converted/words/tokenizer.json");

        Assert.Equal(texts.Merges, pairs.Merges);
        Assert.Equal(((TiktokenModel)TokenizerData.Model("tiktoken")).Tokens, texts.Vocabulary.OrderBy(token => token.Value).Select(token => token.Key));
    }

    [Fact]
    public void Tells_how_texts_are_divided_and_what_is_put_around_them()
    {
        var tokenizer = ReadFile("converted/tiktoken/tokenizer.json");

        Assert.Equal(Llama3Tokens.Pattern, tokenizer.Pattern);
        Assert.True(tokenizer.IgnoresMerges);
        Assert.False(tokenizer.ByteFallback);
        Assert.Equal([new("<|begin_of_text|>", null), new(null, "A")], Assert.Single(tokenizer.Templates).Single);
        Assert.Equal(new AddedToken(320, "<|begin_of_text|>", IsSpecial: true), tokenizer.AddedTokens[0]);
    }

    [Fact]
    public void That_of_SentencePiece_divides_nothing_and_knows_bytes()
    {
        var tokenizer = ReadFile("converted/sentencepiece/tokenizer.json");

        Assert.Null(tokenizer.Pattern);
        Assert.True(tokenizer.ByteFallback);
        Assert.Equal([("<unk>", true), ("<s>", true), ("</s>", true), ("[INST]", false)], tokenizer.AddedTokens.Select(token => (token.Content, token.IsSpecial)));
    }

    [Theory]
    [InlineData(""" "use_regex": true """)]
    [InlineData(""" "use_regex": false, "add_prefix_space": true """)]
    [InlineData("")]
    public void An_expression_that_is_not_alone_is_none(string settings)
    {
        var tokenizer = Read(
            $$"""
            {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": "x"}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel"{{(settings.Length > 0 ? "," : "")}}{{settings}}}]}, {{Valid[1..]}}
            """);

        Assert.Null(tokenizer.Pattern);
    }

    [Fact]
    public void Old_files_name_no_type() => Assert.Single(Read("""{"model": {"vocab": {"a": 0, "aa": 1}, "merges": ["a a"]}}""").Merges);

    [Theory]
    [InlineData("Unigram", """{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]]}}""")]
    [InlineData("WordPiece", """{"model": {"type": "WordPiece", "vocab": {"a": 0}}}""")]
    [InlineData("null", """{"model": {"vocab": {"a": 0}}}""")]
    public void Those_of_another_type_are_refused(string type, string json) =>
        ErrorAssert.Throws(CheckpointErrorCode.TokenizerUnsupported, () => Read(json), "memory.pt", type, "BPE");

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"model": null}""")]
    [InlineData("""{"model": {"type": 1}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": "0"}}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": -1}}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0.5}}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 99999999999}}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\ud800": 0}}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": {}}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": [1]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": [null]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": [["a"]]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": [["a", null]]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": [["a", "b", "c"]]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": ["a"]}}""")]
    [InlineData("""{"model": {"type": "BPE", "merges": ["a b c"]}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}""")]
    [InlineData("""{"model": {"type": "BPE", "ignore_merges": "yes"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": 1}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"id": 0, "content": "b"}]}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "a"}]}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"id": -1, "content": "b"}]}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "added_tokens": [{"id": 1}]}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "post_processor": {"processors": 1}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "post_processor": {"type": "TemplateProcessing", "single": [1]}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}, "pre_tokenizer": {"type": "Sequence"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}} more""")]
    public void What_is_none_is_refused(string json) => ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(json), "memory.pt");

    [Fact]
    public void Nesting_has_an_end()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 100_000));

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read($$"""{"normalizer": {{deep}}"""), "memory.pt");
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read($$"""{"post_processor": {{deep}}"""), "memory.pt");
    }

    private static TokenizerJson ReadFile(string name) => TokenizerJson.Read(LocalFolder.FileAt(TokenizerData.PathOf(name)).Source);

    private static TokenizerJson Read(string json) => TokenizerJson.Read(new MemorySource(Encoding.UTF8.GetBytes(json)));
}
