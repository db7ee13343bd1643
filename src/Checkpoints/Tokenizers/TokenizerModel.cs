using System.Buffers.Text;
using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Tokenizers;

/// <summary>tokenizer.model, of which there are two kinds: that of LLaMA 1 and 2 is SentencePiece's, that of LLaMA 3 is tiktoken's.</summary>
internal abstract class TokenizerModel
{
    public const string FileName = "tokenizer.model";

    /// <summary>That of LLaMA 3 has 2 MB; the largest that is known has 5 MB.</summary>
    private const int MaxLength = 16 << 20;

    /// <summary>The longest token of LLaMA 3 has 128 bytes. The time that merges take grows with it.</summary>
    protected const int MaxTokenLength = 512;

    /// <summary>The number of tokens in it.</summary>
    public abstract int Count { get; }

    /// <param name="source">tokenizer.model.</param>
    /// <exception cref="CheckpointException">It can't be read, or is neither.</exception>
    public static TokenizerModel Read(IByteSource source)
    {
        if (source.Length is 0 or > MaxLength)
        {
            throw CheckpointException.Corrupt(source.Name, $"it is {source.Length} bytes long, and such files have at most {MaxLength}, and something in them.");
        }

        var bytes = WholeFile.Read(source);

        return IsSentencePiece(bytes) ? SentencePieceModel.Parse(bytes, source.Name)
            : IsTiktoken(bytes) ? TiktokenModel.Parse(bytes, source.Name)
            : bytes.AsSpan().StartsWith("version https://git-lfs"u8)
            ? throw new CheckpointException(
                CheckpointErrorCode.CheckpointCorrupt,
                $"'{source.Name}' is not the file, but only a pointer to it, which Git LFS replaces. Run 'git lfs pull' in its folder.",
                source.Name)
            : throw CheckpointException.Corrupt(source.Name, "it is neither a model of SentencePiece, as those of LLaMA 1 and 2, nor one of tiktoken, as that of LLaMA 3.");
    }

    /// <summary>Whether a tokenizer.model is tiktoken's, without reading all of it.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public static bool IsTiktoken(IByteSource source)
    {
        using var reader = source.Open();
        var beginning = new byte[Math.Min(source.Length, 2 * MaxTokenLength)];
        reader.Read(0, beginning);
        return IsTiktoken(beginning);
    }

    /// <summary>A message of protocol buffers that begins with a piece, a trainer_spec or a normalizer_spec.</summary>
    private static bool IsSentencePiece(ReadOnlySpan<byte> file) => file is [0x0a or 0x12 or 0x1a, ..];

    /// <summary>A line of Base64 and a number.</summary>
    private static bool IsTiktoken(ReadOnlySpan<byte> file)
    {
        var space = file.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(file[..space]) && file[(space + 1)..] is [>= (byte)'0' and <= (byte)'9', ..];
    }
}
