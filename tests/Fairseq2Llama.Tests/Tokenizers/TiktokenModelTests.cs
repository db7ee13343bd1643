using System.Text;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>tokenizer.model of tiktoken.</summary>
public sealed class TiktokenModelTests
{
    private static readonly string Valid = Encoding.ASCII.GetString(TiktokenBuilder.Build("in", " in"));

    [Fact]
    public void Has_tokens_in_the_letters_for_bytes()
    {
        var model = Read(Valid);

        Assert.Equal(258, model.Count);
        Assert.Equal(("!", "Ā", "in", "Ġin"), (model.Tokens[0], model.Tokens[188], model.Tokens[256], model.Tokens[257]));
    }

    [Fact]
    public void Lines_may_end_as_on_Windows_and_be_in_any_order()
    {
        var lines = Valid.TrimEnd('\n').Split('\n').Reverse();

        Assert.Equal(Read(Valid).Tokens, Read(string.Join("\r\n", lines)).Tokens);
    }

    [Theory]
    [InlineData("aW4= 258\n", "twice")]
    [InlineData("aW5n 259\n", "highest rank")]
    [InlineData("aW5n 257\n", "line 259")]
    [InlineData("aW5n -1\n", "line 259")]
    [InlineData("aW5n 99999999999\n", "line 259")]
    [InlineData("aW5n 258.0\n", "line 259")]
    [InlineData("aW5n 258 \n", "line 259")]
    [InlineData("aW5n\n", "line 259")]
    [InlineData("aW5 258\n", "line 259")]
    [InlineData(" 258\n", "line 259")]
    [InlineData("\n", "line 259")]
    [InlineData("==== 258\n", "line 259")]
    public void Damage_is_called_damage(string more, string words) =>
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Read(Valid + more), "memory.pt", words);

    [Fact]
    public void Every_byte_is_a_token() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => TokenizerModel.Read(new MemorySource(TiktokenBuilder.Build(TiktokenBuilder.Tokens()[..^1]))), "no token for the byte 173");

    [Fact]
    public void A_token_without_end_is_refused() => ErrorAssert.Throws(
        CheckpointErrorCode.CheckpointCorrupt, () => Read($"{Valid}{Convert.ToBase64String(new byte[513])} 258\n"), "512 bytes");

    [Theory]
    [InlineData("", "0 bytes long")]
    [InlineData("{\"model\": {}}", "neither")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull")]
    [InlineData("PK\u0003\u0004", "neither")]
    public void What_is_neither_is_refused(string text, string words) =>
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TokenizerModel.Read(new MemorySource(Encoding.UTF8.GetBytes(text))), "memory.pt", words);

    private static TiktokenModel Read(string text) => Assert.IsType<TiktokenModel>(TokenizerModel.Read(new MemorySource(Encoding.ASCII.GetBytes(text))));
}
