using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// The tokenizer.model of LLaMA 3, in the format of OpenAI's tiktoken: a line for each token, with its bytes in Base64 and its rank. The special tokens are not
/// in it; they follow in <see cref="Llama3Tokens"/>.
/// </summary>
internal sealed class TiktokenModel : TokenizerModel
{
    private TiktokenModel(ImmutableArray<string> tokens) => Tokens = tokens;

    /// <summary>Its tokens by rank, in the letters of <see cref="ByteAlphabet"/>. The rank of a token is its number.</summary>
    public ImmutableArray<string> Tokens { get; }

    public override int Count => Tokens.Length;

    /// <exception cref="CheckpointException">It is damaged.</exception>
    public static TiktokenModel Parse(ReadOnlySpan<byte> bytes, string file)
    {
        var tokens = new Dictionary<int, string>();
        var line = 0;

        for (var rest = bytes; !rest.IsEmpty;)
        {
            line++;
            var end = rest.IndexOf((byte)'\n');
            var text = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            ParseLine(text.TrimEnd((byte)'\r'), line, file, tokens);
        }

        var texts = new HashSet<string>(tokens.Values, StringComparer.Ordinal);

        // As none is there twice, these are all ranks from 0 on.
        if (tokens.Keys.Max() != tokens.Count - 1)
        {
            throw CheckpointException.Corrupt(file, $"it has {tokens.Count} tokens, but the highest rank is {tokens.Keys.Max()}.");
        }

        if (texts.Count != tokens.Count)
        {
            throw CheckpointException.Corrupt(file, "it has a token twice.");
        }

        if (Enumerable.Range(0, 256).FirstOrDefault(value => !texts.Contains(ByteAlphabet.Spell([(byte)value])), -1) is var missing and >= 0)
        {
            throw CheckpointException.Corrupt(file, $"it has no token for the byte {missing}, and needs one for each of the 256.");
        }

        return new TiktokenModel([.. Enumerable.Range(0, tokens.Count).Select(rank => tokens[rank])]);
    }

    private static void ParseLine(ReadOnlySpan<byte> line, int number, string file, Dictionary<int, string> tokens)
    {
        Span<byte> token = stackalloc byte[MaxTokenLength];
        var space = line.IndexOf((byte)' ');

        if (space <= 0
            || Base64.DecodeFromUtf8(line[..space], token, out _, out var length) != OperationStatus.Done
            || length == 0
            || !Utf8Parser.TryParse(line[(space + 1)..], out int rank, out var digits)
            || digits != line.Length - space - 1
            || rank < 0
            || !tokens.TryAdd(rank, ByteAlphabet.Spell(token[..length])))
        {
            throw CheckpointException.Corrupt(
                file, $"line {number} does not have the Base64 of 1 to {MaxTokenLength} bytes, a space, and a rank that no other line has.");
        }
    }
}
