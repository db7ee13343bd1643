using System.Collections.Immutable;

namespace Fairseq2Llama.Stores;

/// <summary>What an export makes of a folder.</summary>
internal sealed record FolderChange
{
    /// <summary>The names of files that it alone writes.</summary>
    public required ImmutableArray<string> Placed { get; init; }

    /// <summary>The names of files that other jobs write just so at the same time.</summary>
    public required ImmutableArray<string> Shared { get; init; }

    /// <summary>The names of files of an earlier export that are replaced.</summary>
    public required ImmutableArray<string> Replaced { get; init; }

    /// <summary>The names of files of an earlier export that would be taken for part of this one, and are removed.</summary>
    public required ImmutableArray<string> Stale { get; init; }

    /// <summary>The file that whoever finds it may take the folder for whole by: it leaves first and comes last.</summary>
    public required string CommitMarker { get; init; }

    /// <summary>The shards of a job that writes only some; empty for an export of all.</summary>
    public required ImmutableArray<int> Shards { get; init; }

    /// <summary>Whether the files must have reached the disk before they are put in place.</summary>
    public required bool Flush { get; init; }

    /// <summary>The room that it takes.</summary>
    public required RequiredSpace Space { get; init; }

    /// <summary>To be called when nobody else can come any more. Throws if another export has been there since this one was planned.</summary>
    public required Action RequireAsPlanned { get; init; }

    /// <summary>What has to leave.</summary>
    public IEnumerable<string> Leaving => Replaced.Concat(Stale);
}
