namespace Fairseq2Llama.Stores;

/// <summary>The room that an export takes.</summary>
/// <param name="Length">Bytes of all files.</param>
/// <param name="Scratch">Bytes of records that have to be inflated for it.</param>
/// <param name="Unchanged">The ranges that could be taken from sources, and would then need no space.</param>
internal sealed record RequiredSpace(long Length, long Scratch, IReadOnlyList<UnchangedRange> Unchanged);
