namespace Fairseq2Llama.Gguf.Vocabulary;

/// <summary>What a token is, as llama.cpp numbers it (llama_token_type); the numbers are SentencePiece's.</summary>
internal enum TokenType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
