namespace Fairseq2Llama.Stores;

/// <summary>The folders in a folder that are meant. Nothing else in it is seen as a folder.</summary>
/// <param name="Folder">The folder around them, relative to the address; empty for the address itself.</param>
/// <param name="Names">Their names.</param>
internal sealed record FolderChoice(string Folder, IReadOnlySet<string> Names);
