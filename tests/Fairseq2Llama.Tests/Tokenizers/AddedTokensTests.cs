using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>tokenizer.json, as far as the numbers of special tokens are concerned; transformers 5 has them nowhere else.</summary>
public sealed class AddedTokensTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tells_the_end_tokens_of_an_instruct_model()
    {
        Write(
            """
            {
              "version": "1.0",
              "added_tokens": [
                { "id": 128000, "content": "<|begin_of_text|>", "special": true },
                { "id": 128009, "content": "<|eot_id|>", "special": true }
              ],
              "model": { "type": "BPE", "vocab": { "!": 0 }, "merges": [["a", "b"]] }
            }
            """);
        File.WriteAllText(_folder["tokenizer_config.json"], """{"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}""");

        var tokens = TokenizerFiles.Find(_folder.Path).ReadSpecialTokens();

        Assert.Equal([128_000], tokens.Begin);
        Assert.Equal([128_001, 128_008, 128_009], tokens.End);
    }

    [Theory]
    [InlineData("""{"added_tokens": []}""")]
    [InlineData("""{"model": {"added_tokens": [{"id": 1, "content": "a"}]}}""")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void May_have_none(string json) => Assert.Empty(Read(json));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"added_tokens": 1}""")]
    [InlineData("""{"added_tokens": [1]}""")]
    [InlineData("""{"added_tokens": [{"content": "a"}]}""")]
    [InlineData("""{"added_tokens": [{"id": "1", "content": "a"}]}""")]
    [InlineData("""{"added_tokens": [{"id": 1.5, "content": "a"}]}""")]
    [InlineData("""{"added_tokens": [{"id": 1, "content": 2}]}""")]
    [InlineData("""{"added_tokens": [{"id": 1, "content": "\ud800"}]}""")]
    public void What_is_none_is_refused(string json) => ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(json), _folder["tokenizer.json"]);

    [Fact]
    public void The_first_of_two_counts() => Assert.Equal(3, Read("""{"added_tokens": [{"id": 3, "content": "a"}, {"id": 4, "content": "a"}]}""")["a"]);

    private IReadOnlyDictionary<string, int> Read(string json)
    {
        Write(json);
        return AddedTokens.Read(new Fairseq2Llama.Stores.Local.LocalFile(_folder["tokenizer.json"]));
    }

    private void Write(string json) => File.WriteAllText(_folder["tokenizer.json"], json);
}
