using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.Tests.Tokenizers;

/// <summary>tokenizer.model of SentencePiece.</summary>
public sealed class SentencePieceModelTests
{
    private static readonly byte[] Valid = new SentencePieceBuilder("a", "b", "ab").Build();

    public static TheoryData<string, byte[]> Damaged => new()
    {
        { "it ends within a piece", Valid[..20] },
        { "it ends within a length", [.. Valid, 0x0a] },
        { "a length above the file's", [.. Valid, 0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f] },
        { "a length of 64 bits", [.. Valid, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01] },
        { "a number without end", [.. Valid, 0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "field 0", [.. Valid, 0x00, 0x00] },
        { "a group", [.. Valid, 0x23, 0x24] },
        { "a wire type that there is not", [.. Valid, 0x26] },
        { "pieces that are numbers", [.. Valid, 0x08, 0x01] },
        { "a score that is a number", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "c").Number(2, 1))] },
        { "a score that is none", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "c").Float(2, float.NaN))] },
        { "an empty piece", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "").Float(2, 1))] },
        { "a piece without end", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, new string('c', 513)))] },
        { "a type that there is not", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "c").Number(3, 7))] },
        { "a negative type", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "c").Number(3, -1))] },
        { "text that is none", [.. Valid, .. Piece(new ProtobufBuilder().Bytes(1, [0xff]))] },
        { "half a surrogate pair", [.. Valid, .. Piece(new ProtobufBuilder().Bytes(1, [0xed, 0xa0, 0x80]))] },
        { "a piece twice", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "ab"))] },
        { "a second piece for the unknown", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "c").Number(3, 2))] },
        { "a byte too many", [.. Valid, .. Piece(new ProtobufBuilder().Text(1, "<0x100>").Number(3, 6))] },
        { "no pieces", new ProtobufBuilder().Message(2, new ProtobufBuilder().Number(3, 2)).ToArray() },
        { "bytes that it does not use", new SentencePieceBuilder("a") { ByteFallback = false }.Build() },
    };

    [Fact]
    public void Has_pieces_with_scores_and_types()
    {
        var model = Read(new SentencePieceBuilder("▁the", "🦙"));

        Assert.Equal(261, model.Count);
        Assert.Equal(new SentencePiece("<unk>", 0, PieceType.Unknown), model.Pieces[0]);
        Assert.Equal(new SentencePiece("<0xFF>", 0, PieceType.Byte), model.Pieces[258]);
        Assert.Equal(new SentencePiece("🦙", -1, PieceType.Normal), model.Pieces[^1]);
        Assert.Equal((0, 1, 2, null), (model.UnknownId, model.BeginId, model.EndId, model.PaddingId));
        Assert.True(model.AddDummyPrefix && model.ByteFallback && model.EscapesWhitespaces);
        Assert.False(model.RemoveExtraWhitespaces || model.ReplacesCharacters || model.TreatsWhitespaceAsSuffix);
    }

    /// <summary>As sentencepiece_model.proto says.</summary>
    [Fact]
    public void What_it_does_not_say_is_as_usual()
    {
        var model = Read(new SentencePieceBuilder { ModelType = null, RemoveExtraWhitespaces = null });

        Assert.Equal(1, model.ModelType);
        Assert.True(model.AddDummyPrefix && model.RemoveExtraWhitespaces);
    }

    [Fact]
    public void Tokens_with_a_use_are_found_by_their_texts()
    {
        var builder = new SentencePieceBuilder("a");
        builder.Pieces[2] = new SentencePiece("<end>", 0, PieceType.Control);
        builder.Pieces.Add(new SentencePiece("<pad>", 0, PieceType.Control));
        builder.Pieces.Add(new SentencePiece("[s]", 0, PieceType.Normal));
        builder.Trainer.Number(41, 7).Number(43, -1).Text(46, "[s]").Text(47, "<end>");

        var model = Read(builder);

        // "[s]" is a word like others.
        Assert.Equal((null, 2, 260), (model.BeginId, model.EndId, model.PaddingId));
    }

    [Fact]
    public void Passes_over_what_it_does_not_know()
    {
        var builder = new SentencePieceBuilder("a");
        builder.Trainer.Number(4, 32000).Float(10, 0.99995f).Text(1, "botchan.txt").Tag(300, 1).Raw(new byte[8]).Number(40, -1);
        var bytes = new ProtobufBuilder().Raw(builder.Build()).Message(4, new ProtobufBuilder().Text(1, "self test")).Number(200, 5).ToArray();

        Assert.Equal(260, Assert.IsType<SentencePieceModel>(TokenizerModel.Read(new MemorySource(bytes))).Count);
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public void Damage_is_called_damage(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        ErrorAssert.Throws(CheckpointErrorCode.CheckpointCorrupt, () => TokenizerModel.Read(new MemorySource(bytes)), "memory.pt");
    }

    private static byte[] Piece(ProtobufBuilder piece) => new ProtobufBuilder().Message(1, piece).ToArray();

    private static SentencePieceModel Read(SentencePieceBuilder builder) => Assert.IsType<SentencePieceModel>(TokenizerModel.Read(new MemorySource(builder.Build())));
}
