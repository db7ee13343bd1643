namespace Fairseq2Llama.Tokenizers;

/// <summary>What a piece of SentencePiece is, as sentencepiece_model.proto numbers it. GGUF has the same numbers for tokens.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
