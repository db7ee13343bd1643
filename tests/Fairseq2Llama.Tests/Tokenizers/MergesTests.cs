using System.Security.Cryptography;
using System.Text;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

public sealed class MergesTests
{
    [Fact]
    public void Of_scores_are_all_ways_to_make_a_piece_of_two()
    {
        var pieces = ((SentencePieceModel)TokenizerData.Model("sentencepiece")).Pieces;
        var found = Merges.OfScores(pieces, "it");

        var all =
            from left in Enumerable.Range(0, pieces.Length)
            from right in Enumerable.Range(0, pieces.Length)
            let whole = pieces.FirstOrDefault(piece => piece.Text == pieces[left].Text + pieces[right].Text)
            where whole.Text is not null
            orderby -whole.Score
            select new Merge(left, right);

        Assert.True(found.Length > 70);
        Assert.Equal(all, found);
    }

    [Fact]
    public void Of_ranks_are_in_the_order_of_tokens()
    {
        var tokens = ((TiktokenModel)TokenizerData.Model("tiktoken")).Tokens;
        var found = Merges.OfRanks(tokens, "it");

        var all =
            from token in tokens
            from left in Enumerable.Range(0, tokens.Length)
            where token.StartsWith(tokens[left], StringComparison.Ordinal)
            let right = tokens.IndexOf(token[tokens[left].Length..])
            where right >= 0
            select new Merge(left, right);

        Assert.True(found.Length >= 64);
        Assert.Equal(all, found);
    }

    /// <summary>A token of two characters that are more than one in UTF-16, and what only looks as if it began with another.</summary>
    [Fact]
    public void Characters_are_not_cut()
    {
        var pieces = Words(-1, "🦙", "🦙🦙", "a", "a🦙", "b", "ba");

        Assert.Equal([new Merge(0, 0), new Merge(2, 0), new Merge(4, 2)], Merges.OfScores(pieces, "it"));
    }

    [Fact]
    public void Of_one_score_are_in_the_order_of_their_parts()
    {
        var pieces = Words(0, "a", "b", "bc", "ab", "c", "abc", "cab");

        Assert.Equal(["a b", "a bc", "b c", "ab c", "c ab"], Show(pieces, Merges.OfScores(pieces, "it")));
    }

    /// <summary>Where all begin and end alike, the list would be larger than memory.</summary>
    [Fact]
    public void Lists_without_end_are_refused()
    {
        string[] tokens = [.. Enumerable.Range(0, 4).SelectMany(start => Enumerable.Range(1, 500).Select(length => new string((char)('a' + start), length)))];

        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => Merges.OfRanks(tokens, "tokenizer.model"), "tokenizer.model", "consist of each other");
    }

    /// <summary>
    /// The vocabulary and the merges of the published tokenizer.json of LLaMA 3 and LLaMA 2, in npm packages. The second has no scores; those of LLaMA 2 fall by 1 with each
    /// piece, but spaces alone come last.
    /// </summary>
    [Theory]
    [External]
    [InlineData("llama3-tokenizer-js", 128_000, 280_147, "0cd100e0ab7dbd83c3b668a7cfb2aed1f63f2aec66dae6ec4b63de2c552bb82d")]
    [InlineData("llama-tokenizer-js", 32_000, 61_249, null)]
    public void Are_the_published_ones(string package, int count, int mergeCount, string? hash)
    {
        var (tokens, published) = TokenizerPackages.Read(package);
        tokens = [.. tokens.Take(count)];
        SentencePiece[] pieces = [.. tokens.Select((text, id) => new SentencePiece(text, text.All(c => c == '▁') && text.Length > 1 ? -1e9f : 259 - id, PieceType.Normal))];

        var found = package.StartsWith("llama3", StringComparison.Ordinal) ? Show(pieces, Merges.OfRanks(tokens, package)) : Show(pieces, Merges.OfScores(pieces, package));

        Assert.Equal(mergeCount, published.Length);
        Assert.Equal(published, found);

        if (hash is not null)
        {
            Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', found)))));
        }
    }

    private static SentencePiece[] Words(int scoreStep, params string[] texts) =>
        [.. texts.Select((text, index) => new SentencePiece(text, scoreStep * index, PieceType.Normal))];

    private static IEnumerable<string> Show(SentencePiece[] pieces, IEnumerable<Merge> merges) =>
        merges.Select(merge => $"{pieces[merge.Left].Text} {pieces[merge.Right].Text}");
}
