using System.Globalization;
using Fairseq2Llama.Tests.ForwardPass;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes a tokenizer.model of SentencePiece, by default like those of LLaMA: &lt;unk&gt;, &lt;s&gt;, &lt;/s&gt;, the bytes, then words with falling scores.</summary>
internal sealed class SentencePieceBuilder
{
    public SentencePieceBuilder(params IEnumerable<string> words) => Pieces =
    [
        new("<unk>", 0, PieceType.Unknown),
        new("<s>", 0, PieceType.Control),
        new("</s>", 0, PieceType.Control),
        .. Enumerable.Range(0, 256).Select(value => new SentencePiece(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"), 0, PieceType.Byte)),
        .. words.Select((word, index) => new SentencePiece(word, -index, PieceType.Normal)),
    ];

    public List<SentencePiece> Pieces { get; }

    public int? ModelType { get; set; } = SentencePieceModel.Bpe;

    public bool ByteFallback { get; set; } = true;

    public bool? AddDummyPrefix { get; set; }

    public bool? RemoveExtraWhitespaces { get; set; } = false;

    public byte[] Characters { get; set; } = [];

    /// <summary>trainer_spec, to be added to.</summary>
    public ProtobufBuilder Trainer { get; } = new();

    /// <summary>Stories260k's, whose pieces and scores llama2.c keeps in a format of its own.</summary>
    public static SentencePieceBuilder OfStories(string path)
    {
        var builder = new SentencePieceBuilder();
        builder.Pieces.AddRange(new Vocabulary(path).Pieces.Skip(builder.Pieces.Count).Select(piece => new SentencePiece(piece.Text.Replace(' ', '▁'), piece.Score, PieceType.Normal)));
        return builder;
    }

    /// <summary>One for a model with a vocabulary of that size, which can be too small for all bytes.</summary>
    public static SentencePieceBuilder OfSize(int count)
    {
        var builder = new SentencePieceBuilder { ByteFallback = false };
        builder.Pieces.RemoveAll(piece => piece.Type == PieceType.Byte);
        builder.Pieces.AddRange(Enumerable.Range(builder.Pieces.Count, count - builder.Pieces.Count)
            .Select(number => new SentencePiece(string.Create(CultureInfo.InvariantCulture, $"word{number}"), -number, PieceType.Normal)));
        return builder;
    }

    public byte[] Build()
    {
        var model = new ProtobufBuilder();

        foreach (var (text, score, type) in Pieces)
        {
            var piece = new ProtobufBuilder().Text(1, text).Float(2, score);
            model.Message(1, type == PieceType.Normal ? piece : piece.Number(3, (int)type));
        }

        if (ModelType is { } modelType)
        {
            Trainer.Number(3, modelType);
        }

        Trainer.Number(35, ByteFallback ? 1 : 0);
        var normalizer = new ProtobufBuilder().Text(1, "identity").Bytes(2, Characters);
        AddFlag(normalizer, 3, AddDummyPrefix);
        AddFlag(normalizer, 4, RemoveExtraWhitespaces);
        return model.Message(2, Trainer).Message(3, normalizer).ToArray();
    }

    private static void AddFlag(ProtobufBuilder message, int field, bool? value)
    {
        if (value is { } flag)
        {
            message.Number(field, flag ? 1 : 0);
        }
    }
}
