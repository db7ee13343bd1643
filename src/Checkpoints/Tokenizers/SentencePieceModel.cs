using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Tokenizers;

/// <summary>The tokenizer.model of SentencePiece (sentencepiece_model.proto), as LLaMA 1 and 2 have it. Absent fields have the values that the .proto says.</summary>
internal sealed class SentencePieceModel : TokenizerModel
{
    /// <summary>The model_type of byte-pair encoding.</summary>
    public const int Bpe = 2;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _file;
    private string _begin = "<s>", _end = "</s>", _padding = "<pad>";

    private SentencePieceModel(string file) => _file = file;

    public override int Count => Pieces.Length;

    /// <summary>Its pieces, by their numbers.</summary>
    public ImmutableArray<SentencePiece> Pieces { get; private set; }

    /// <summary>How it divides a text: 1 Unigram, 2 byte-pair encoding, 3 words, 4 characters.</summary>
    public int ModelType { get; private set; } = 1;

    /// <summary>Whether it writes what it does not know as bytes.</summary>
    public bool ByteFallback { get; private set; }

    /// <summary>The token for what it does not know.</summary>
    public int UnknownId { get; private set; }

    /// <summary>The token that begins a text; null where there is none.</summary>
    public int? BeginId { get; private set; }

    /// <summary>The token that ends a text; null where there is none.</summary>
    public int? EndId { get; private set; }

    /// <summary>The token that fills up a text; null where there is none.</summary>
    public int? PaddingId { get; private set; }

    /// <summary>Whether a text gets a space before it.</summary>
    public bool AddDummyPrefix { get; private set; } = true;

    /// <summary>Whether it removes spaces at both ends, and all but one between words.</summary>
    public bool RemoveExtraWhitespaces { get; private set; } = true;

    /// <summary>Whether it replaces characters by a table, as Unicode's normal forms do.</summary>
    public bool ReplacesCharacters { get; private set; }

    /// <summary>Whether ▁ stands for spaces.</summary>
    public bool EscapesWhitespaces { get; private set; } = true;

    /// <summary>Whether the ▁ of a word is behind it.</summary>
    public bool TreatsWhitespaceAsSuffix { get; private set; }

    /// <exception cref="CheckpointException">It is damaged.</exception>
    public static SentencePieceModel Parse(ReadOnlySpan<byte> bytes, string file)
    {
        var model = new SentencePieceModel(file);
        model.Read(bytes);
        model.Validate();
        (model.BeginId, model.EndId, model.PaddingId) = (model.FindControl(model._begin), model.FindControl(model._end), model.FindControl(model._padding));
        return model;
    }

    private void Read(ReadOnlySpan<byte> bytes)
    {
        var pieces = ImmutableArray.CreateBuilder<SentencePiece>();
        var message = new ProtobufReader(bytes, _file);

        while (message.Read())
        {
            switch (message.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(message.ReadBytes()));
                    break;
                case 2:
                    ReadTrainer(message.ReadBytes());
                    break;
                case 3:
                    ReadNormalizer(message.ReadBytes());
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        Pieces = pieces.DrainToImmutable();
    }

    private SentencePiece ReadPiece(ReadOnlySpan<byte> bytes)
    {
        var (text, score, type) = ("", 0f, PieceType.Normal);
        var message = new ProtobufReader(bytes, _file);

        while (message.Read())
        {
            switch (message.Field)
            {
                case 1:
                    text = Decode(message.ReadBytes());
                    break;
                case 2:
                    score = message.ReadFloat();
                    break;
                case 3:
                    type = (PieceType)message.ReadInt32();
                    break;
                default:
                    message.Skip();
                    break;
            }
        }

        return text.Length is > 0 and <= MaxTokenLength && Enum.IsDefined(type) && !float.IsNaN(score)
            ? new SentencePiece(text, score, type)
            : throw Broken($"one of its pieces is of type {(int)type}, has a score of {score.ToString(CultureInfo.InvariantCulture)} and {text.Length} characters.");
    }

    private void ReadTrainer(ReadOnlySpan<byte> bytes)
    {
        var message = new ProtobufReader(bytes, _file);

        while (message.Read())
        {
            switch (message.Field)
            {
                case 3:
                    ModelType = message.ReadInt32();
                    break;
                case 24:
                    TreatsWhitespaceAsSuffix = message.ReadBool();
                    break;
                case 35:
                    ByteFallback = message.ReadBool();
                    break;
                case 46:
                    _begin = Decode(message.ReadBytes());
                    break;
                case 47:
                    _end = Decode(message.ReadBytes());
                    break;
                case 48:
                    _padding = Decode(message.ReadBytes());
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> bytes)
    {
        var message = new ProtobufReader(bytes, _file);

        while (message.Read())
        {
            switch (message.Field)
            {
                case 2:
                    ReplacesCharacters = !message.ReadBytes().IsEmpty;
                    break;
                case 3:
                    AddDummyPrefix = message.ReadBool();
                    break;
                case 4:
                    RemoveExtraWhitespaces = message.ReadBool();
                    break;
                case 5:
                    EscapesWhitespaces = message.ReadBool();
                    break;
                default:
                    message.Skip();
                    break;
            }
        }
    }

    /// <summary>What SentencePiece itself demands of a model.</summary>
    private void Validate()
    {
        var texts = new HashSet<string>(Pieces.Length, StringComparer.Ordinal);

        if (Pieces.FirstOrDefault(piece => !texts.Add(piece.Text)) is { Text: { } twice })
        {
            throw Broken($"it has the piece '{twice}' twice.");
        }

        int[] unknown = [.. Enumerable.Range(0, Pieces.Length).Where(id => Pieces[id].Type == PieceType.Unknown)];
        UnknownId = unknown is [var only] ? only : throw Broken($"it has {unknown.Length} pieces for what is unknown, and needs one.");

        var bytes = Pieces.Count(piece => piece.Type == PieceType.Byte);

        if (bytes != (ByteFallback ? 256 : 0))
        {
            throw Broken($"it has {bytes} pieces for bytes, and {(ByteFallback ? "needs 256" : "does not use any")}.");
        }
    }

    /// <summary>SentencePiece finds these by their texts, whatever numbers trainer_spec has.</summary>
    private int? FindControl(string text)
    {
        var id = 0;

        while (id < Pieces.Length && (Pieces[id].Type != PieceType.Control || Pieces[id].Text != text))
        {
            id++;
        }

        return id < Pieces.Length ? id : null;
    }

    private string Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return Utf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            throw Broken("it holds text that is not valid Unicode.");
        }
    }

    private CheckpointException Broken(string what) => CheckpointException.Corrupt(_file, what);
}
