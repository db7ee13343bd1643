using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>The files that a model becomes.</summary>
/// <param name="Planned">Those to be written.</param>
/// <param name="Split">How tensors are divided over them.</param>
internal sealed record OutputFiles(ImmutableArray<PlannedFile> Planned, ModelParallelSplit Split)
{
    /// <summary>Why it becomes so many files, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The number of files that the weights are divided into, whether or not all are to be written.</summary>
    public int ShardCount { get; init; } = 1;

    /// <summary>The shards to be written, if other jobs write the others at the same time; otherwise empty.</summary>
    public ImmutableArray<int> ShardIndex { get; init; } = [];

    /// <summary>The names of files that belong to it, too, and are not to be written: other jobs do that, or they are there already.</summary>
    public ImmutableArray<string> NotWritten { get; init; } = [];

    /// <summary>The names of those of them that are there already and of another export.</summary>
    public ImmutableArray<string> Foreign { get; init; } = [];

    /// <summary>The room that those to be written take.</summary>
    public RequiredSpace Space
    {
        get
        {
            var tensorFiles = Planned.OfType<PlannedTensorFile>().ToArray();

            // Deflated storages are inflated first, so that they can be read at any place.
            var inputs = tensorFiles.SelectMany(file => file.Layout.Storages).SelectMany(placed => placed.Storage.Runs).Select(runs => runs.Storage).Distinct();

            return new RequiredSpace(
                Planned.Sum(file => file.Length), inputs.Sum(storage => storage.ScratchLength), [.. tensorFiles.SelectMany(file => file.Unchanged)]);
        }
    }

    /// <summary>Warnings.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];
}
