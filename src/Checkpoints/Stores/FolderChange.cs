using System.Collections.Immutable;

namespace Fairseq2Llama.Stores;

/// <summary>The changes that an export makes to a folder.</summary>
internal sealed record FolderChange
{
    /// <summary>The names of files that are written, in the order in which they are put in place, but for the commit marker, which is the last.</summary>
    public required ImmutableArray<string> Placed { get; init; }

    /// <summary>The names of files of an earlier export that are replaced.</summary>
    public required ImmutableArray<string> Replaced { get; init; }

    /// <summary>The names of files of an earlier export that readers would take for part of this one. They are removed.</summary>
    public required ImmutableArray<string> Stale { get; init; }

    /// <summary>The names of files that are removed when all others are in place.</summary>
    public required ImmutableArray<string> Consumed { get; init; }

    /// <summary>The file that marks the folder as complete: it is removed first and written last.</summary>
    public required string CommitMarker { get; init; }

    /// <summary>Whether the folder as a whole can be replaced if everything in it is.</summary>
    public required bool OwnsFolder { get; init; }

    /// <summary>The shards of a job that writes only some; empty for an export of all.</summary>
    public required ImmutableArray<int> Shards { get; init; }

    /// <summary>Whether the files must have reached the disk before they are put in place.</summary>
    public required bool Flush { get; init; }

    /// <summary>Whether all files are read back before they are put in place.</summary>
    public required bool ReadsBack { get; init; }

    /// <summary>The room that it takes.</summary>
    public required RequiredSpace Space { get; init; }

    /// <summary>Called once other exports are locked out. Throws if another export has written here since this one was planned.</summary>
    public required Action RequireAsPlanned { get; init; }

    /// <summary>The files that have to be removed.</summary>
    public IEnumerable<string> Leaving => Replaced.Concat(Stale);
}
