using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>Files that other jobs have exported into the destination.</summary>
/// <param name="Folder">The destination.</param>
/// <param name="Checks">What each should hold.</param>
internal sealed record FilesInPlace(ICheckpointFolder Folder, ImmutableArray<WrittenFileCheck> Checks)
{
    public bool Has(PlannedFile file) => Checks.Any(check => check.File == file);
}
