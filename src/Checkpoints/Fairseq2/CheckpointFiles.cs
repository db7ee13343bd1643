using System.Collections.Immutable;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>The files that a layout found in a folder: a grid, in which some may be missing.</summary>
internal sealed class CheckpointFiles
{
    /// <summary>More is never shown, and a folder named pp_99999 must not make us count that far.</summary>
    private const int MaxMissing = 100;

    private const string ModelPrefix = "model.";

    /// <param name="shards">At least one.</param>
    /// <param name="pathOf">The path that the file at a place would have.</param>
    /// <param name="candidates">Files that would be expected to be shards; those that are none are strays.</param>
    /// <param name="least">The last place that there is at least.</param>
    public CheckpointFiles(
        IEnumerable<ShardFile> shards, Func<ShardCoordinates, string> pathOf, IEnumerable<string> candidates, ShardCoordinates least = default)
    {
        PathOf = pathOf;
        Shards =
        [
            .. from shard in shards.DistinctBy(shard => shard.Place)
               orderby shard.Place.Pipeline, shard.Place.TensorParallel, shard.Place.DataParallel
               select shard,
        ];

        Unrecognized = [.. candidates.Except(Shards.Select(shard => shard.Path)).Order(StringComparer.Ordinal)];

        var present = Shards.Select(shard => shard.Place).ToHashSet();

        Missing =
        [
            .. (from pipeline in Enumerable.Range(0, Math.Max(Shards.Max(shard => shard.Place.Pipeline), least.Pipeline) + 1)
                from tensorParallel in Enumerable.Range(0, Math.Max(Shards.Max(shard => shard.Place.TensorParallel), least.TensorParallel) + 1)
                from dataParallel in Enumerable.Range(0, Math.Max(Shards.Max(shard => shard.Place.DataParallel), least.DataParallel) + 1)
                let place = new ShardCoordinates(pipeline, tensorParallel, dataParallel)
                where !present.Contains(place)
                select pathOf(place))
                .Take(MaxMissing),
        ];
    }

    /// <summary>The path that the file at a place has, or would have.</summary>
    public Func<ShardCoordinates, string> PathOf { get; }

    /// <summary>Its files, by pipeline stage, then tensor-parallel rank, then data-parallel rank.</summary>
    public ImmutableArray<ShardFile> Shards { get; }

    /// <summary>The files that the others show to be missing; only so many of them.</summary>
    public ImmutableArray<string> Missing { get; }

    /// <summary>Files that look like parts of it and have no place in it.</summary>
    public ImmutableArray<string> Unrecognized { get; }

    /// <summary>Whole models and shards of the older layouts, and what is named much like them: copies, unfinished ones.</summary>
    public static IEnumerable<string> NamedLikeModels(ICheckpointFolder folder) =>
        from name in folder.FileNames
        where name.StartsWith(ModelPrefix, StringComparison.Ordinal) && name[ModelPrefix.Length..].Contains("pt", StringComparison.Ordinal)
        select folder.PathOf(name);
}
