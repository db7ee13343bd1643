using System.Text.RegularExpressions;
using Fairseq2Llama.Sharding;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model/pp_00/tp_00/sdp_00.pt</c>, …, as fairseq2 writes it from 0.5.0 on: a file for every pipeline stage, tensor-parallel rank and
/// rank of sharded data parallelism. The <c>model</c> folder can be given, too.
/// </summary>
internal sealed partial class NativeShardLayout : ICheckpointLayout
{
    public const string FolderName = "model";

    public CheckpointFiles? Find(string folder)
    {
        var root = new[] { Path.Combine(folder, FolderName), folder }.FirstOrDefault(root => NumberedEntries.In(root, Directory.EnumerateDirectories, Stage()).Any());

        if (root is null)
        {
            return null;
        }

        var stages = NumberedEntries.In(root, Directory.EnumerateDirectories, Stage()).ToArray();
        var ranks = (from stage in stages
                     from rank in NumberedEntries.In(stage.Path, Directory.EnumerateDirectories, Rank())
                     select (rank.Path, Place: new ShardPlace(stage.Number, rank.Number))).ToArray();

        ShardFile[] shards =
        [
            .. from rank in ranks
               from file in NumberedEntries.In(rank.Path, Directory.EnumerateFiles, Shard())
               select new ShardFile(file.Path, rank.Place with { DataParallel = file.Number }),
        ];

        // Only what lies where fairseq2 puts something: links below could lead anywhere.
        var candidates = stages.Select(stage => stage.Path).Concat(ranks.Select(rank => rank.Path)).Prepend(root)
            .SelectMany(Directory.EnumerateFileSystemEntries)
            .Except(stages.Select(stage => stage.Path)).Except(ranks.Select(rank => rank.Path));

        return shards.Length == 0
            ? null
            : new CheckpointFiles(
                shards,
                place => Path.Combine(root, $"pp_{place.Pipeline:00}", $"tp_{place.TensorParallel:00}", $"sdp_{place.DataParallel:00}.pt"),
                candidates);
    }

    /// <summary>The folder with the stages that a file would be part of; null when its folders are named otherwise.</summary>
    public static string? RootOf(string file) =>
        Path.GetDirectoryName(file) is { } rank && Rank().IsMatch(Path.GetFileName(rank))
        && Path.GetDirectoryName(rank) is { } stage && Stage().IsMatch(Path.GetFileName(stage))
            ? Path.GetDirectoryName(stage)
            : null;

    [GeneratedRegex(@"^pp_([0-9]{2}|[1-9][0-9]{2,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Stage();

    [GeneratedRegex(@"^tp_([0-9]{2}|[1-9][0-9]{2,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rank();

    [GeneratedRegex(@"^sdp_([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
