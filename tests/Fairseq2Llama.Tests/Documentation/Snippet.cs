namespace Fairseq2Llama.Tests.Documentation;

/// <summary>Text of a file of the repository.</summary>
/// <param name="File">The path in the repository.</param>
/// <param name="Line">The line that it begins on, from 1.</param>
/// <param name="Text">The text.</param>
internal sealed record Snippet(string File, int Line, string Text)
{
    public override string ToString() => $"{File}:{Line}";
}
