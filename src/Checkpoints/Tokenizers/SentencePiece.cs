namespace Fairseq2Llama.Tokenizers;

/// <summary>An entry of SentencePiece's vocabulary.</summary>
/// <param name="Text">Its text, in which ▁ is a space.</param>
/// <param name="Score">The higher it is, the earlier the piece is merged.</param>
/// <param name="Type">What it is.</param>
internal readonly record struct SentencePiece(string Text, float Score, PieceType Type);
