namespace Fairseq2Llama.Tokenizers;

/// <summary>A token that is found in a text before anything else, such as those that begin and end a text; in tokenizer.json.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsSpecial">Whether it is left out when a text is shown.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial);
