using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Sharding;
using Fairseq2Llama.Stores;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Reference;

/// <summary>A folder in the reference format, opened: one file for each model-parallel rank, fitted together as tensor-parallel ranks are.</summary>
internal sealed record ReferenceFolder(
    string Path, ImmutableArray<TorchFileFacts> TorchFiles, ImmutableArray<CheckpointTensor> Tensors, ArchitectureFile ArchitectureFile)
{
    /// <summary>The weights by rank, then params.json.</summary>
    public ImmutableArray<string> Files => [.. TorchFiles.Select(file => file.Source.Name), ArchitectureFile.Path];

    /// <exception cref="CheckpointException">It is none, or not whole, or damaged, or contradicts itself.</exception>
    public static ReferenceFolder Open(string path, CancellationToken cancellationToken)
    {
        var shards = FindShards(path);
        StateDict[] files = [.. shards.Select(file => StateDict.In(TorchFile.Open(new LocalFile(file), cancellationToken)))];

        var tensors = ShardedModel.Join(
            [.. shards.Zip(files, (path, file) => (new ShardFile(path, new ShardCoordinates(TensorParallel: ReferenceShard.RankOf(path))), file.Entries))],
            NamingConvention.Reference,
            path);

        var architecture = ReferenceParamsReader.Read(new LocalFile(ParamsPath(path)), System.IO.Path.GetFileName(path), tensors);

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, architecture.Architecture!),
            $"The weights in '{path}' contradict its {ReferenceParams.FileName}",
            "Check that both are of the same model, and that no shard is missing.");

        return new ReferenceFolder(path, [.. files.Select(file => file.File)], tensors, architecture);
    }

    private static string ParamsPath(string folder) => System.IO.Path.Combine(folder, ReferenceParams.FileName);

    private static ImmutableArray<string> FindShards(string path)
    {
        CheckpointFolder.Require(path);

        try
        {
            ImmutableArray<string> shards =
            [
                .. Directory.EnumerateFiles(path).Where(file => ReferenceShard.IsNameOfOne(System.IO.Path.GetFileName(file))).OrderBy(ReferenceShard.RankOf),
            ];

            if (shards.IsEmpty)
            {
                throw CheckpointFolder.Unrecognized(path, $"holds no {ReferenceShard.NameOf(0)}. Expected a folder in Meta's reference format.");
            }

            RequireAll(path, shards);
            return File.Exists(ParamsPath(path))
                ? shards
                : throw CheckpointFolder.Unrecognized(path, $"holds no {ReferenceParams.FileName}, without which the weights can't be understood. Copy it from where they are from.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{path}' can't be read: {e.Message}", path, e);
        }
    }

    private static void RequireAll(string path, ImmutableArray<string> shards)
    {
        var gap = Enumerable.Range(0, shards.Length).FirstOrDefault(rank => ReferenceShard.RankOf(shards[rank]) != rank, -1);

        if (gap >= 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.MissingShard,
                ReferenceShard.RankOf(shards[gap]) < gap
                    ? $"'{path}' holds shard {gap - 1} twice: '{System.IO.Path.GetFileName(shards[gap - 1])}' and '{System.IO.Path.GetFileName(shards[gap])}'. Remove the one that does not belong."
                    : $"'{path}' holds {System.IO.Path.GetFileName(shards[^1])} and lacks {ReferenceShard.NameOf(gap)}. Copy what is missing.",
                path);
        }
    }
}
