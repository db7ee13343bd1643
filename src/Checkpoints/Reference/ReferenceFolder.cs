using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Sharding;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Reference;

/// <summary>A folder in the reference format, opened: one file for each model-parallel rank, fitted together as tensor-parallel ranks are.</summary>
internal sealed record ReferenceFolder(
    ICheckpointFolder Folder, ImmutableArray<TorchFileFacts> TorchFiles, ImmutableArray<CheckpointTensor> Tensors, ArchitectureFile ArchitectureFile)
{
    /// <summary>The weights by rank, then params.json.</summary>
    public ImmutableArray<string> Files => [.. TorchFiles.Select(file => file.Source.Name), ArchitectureFile.Path];

    /// <summary>Bytes of these.</summary>
    public long Length => TorchFiles.Sum(file => file.Source.Length) + Folder.LengthOf(ReferenceParams.FileName);

    /// <exception cref="CheckpointException">It is none, or not whole, or damaged, or contradicts itself.</exception>
    public static ReferenceFolder Open(ICheckpointFolder folder, CancellationToken cancellationToken)
    {
        var path = folder.Path;
        var shards = FindShards(folder);
        StateDict[] files = [.. shards.Select(file => StateDict.In(TorchFile.Open(file.Source, cancellationToken)))];

        var tensors = ShardedModel.Join(
            [.. shards.Zip(files, (shard, file) => (new ShardFile(shard, new ShardCoordinates(TensorParallel: ReferenceShard.RankOf(shard.Name))), file.Entries))],
            NamingConvention.Reference,
            path);

        var architecture = ReferenceParamsReader.Read(JsonSettings.Read(folder.SourceOf(ReferenceParams.FileName)), folder.Name, tensors);

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, architecture.Architecture!),
            $"The weights in '{path}' contradict its {ReferenceParams.FileName}",
            "Check that both belong to the same model, and that no shard is missing.");

        return new ReferenceFolder(folder, [.. files.Select(file => file.File)], tensors, architecture);
    }

    private static ImmutableArray<StoredFile> FindShards(ICheckpointFolder folder)
    {
        CheckpointFolder.Require(folder);

        return CheckpointFolder.Look(folder, () =>
        {
            ImmutableArray<string> shards = folder.CanList
                ? [.. folder.FileNames.Where(ReferenceShard.IsNameOfOne).OrderBy(ReferenceShard.RankOf)]
                : [.. Enumerable.Range(0, int.MaxValue).Select(ReferenceShard.NameOf).TakeWhile(folder.HasFile)];

            if (shards.IsEmpty)
            {
                throw CheckpointFolder.Unrecognized(folder.Path, $"holds no {ReferenceShard.NameOf(0)}. Expected a folder in Meta's reference format.");
            }

            RequireAll(folder.Path, shards);

            return folder.HasFile(ReferenceParams.FileName)
                ? shards.Select(name => new StoredFile(folder, name)).ToImmutableArray()
                : throw CheckpointFolder.Unrecognized(
                    folder.Path, $"holds no {ReferenceParams.FileName}, which is needed to interpret the weights. Copy it from the source of the weights.");
        });
    }

    private static void RequireAll(string path, ImmutableArray<string> shards)
    {
        var gap = Enumerable.Range(0, shards.Length).FirstOrDefault(rank => ReferenceShard.RankOf(shards[rank]) != rank, -1);

        if (gap >= 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.MissingShard,
                ReferenceShard.RankOf(shards[gap]) < gap
                    ? $"'{path}' holds shard {gap - 1} twice: '{shards[gap - 1]}' and '{shards[gap]}'. Remove the one that does not belong."
                    : $"'{path}' holds {shards[^1]}, but lacks {ReferenceShard.NameOf(gap)}. Copy the missing files.",
                path);
        }
    }
}
