using System.Text.RegularExpressions;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model.pt/shard.00.pt</c>, …: a folder named like the file of other versions, in it a file for every rank of sharded data parallelism;
/// with tensor parallelism <c>model.00.pt/shard.00.pt</c>, …. No release of fairseq2 writes it; its main branch did from February to May
/// 2025, between 0.4 and 0.5 (commits 316ed66d2 to b91190f1c).
/// </summary>
internal sealed partial class ShardFolderLayout : ICheckpointLayout
{
    public CheckpointFiles? Find(string folder)
    {
        var single = new[] { Path.Combine(folder, SingleFileLayout.FileName), folder }
            .Where(rank => NumberedEntries.In(rank, Directory.EnumerateFiles, Shard()).Any())
            .Select(rank => (Path: rank, Number: 0))
            .Take(1);

        var ranks = single.Concat(NumberedEntries.In(folder, Directory.EnumerateDirectories, Rank())).ToArray();

        ShardFile[] shards =
        [
            .. from rank in ranks
               from file in NumberedEntries.In(rank.Path, Directory.EnumerateFiles, Shard())
               select new ShardFile(file.Path, new ShardCoordinates(TensorParallel: rank.Number, DataParallel: file.Number)),
        ];

        return shards.Length == 0
            ? null
            : new CheckpointFiles(shards, PathOf, ranks.SelectMany(rank => Directory.EnumerateFiles(rank.Path, "shard.*")));

        string PathOf(ShardCoordinates place) => Path.Combine(
            ranks.FirstOrDefault(rank => rank.Number == place.TensorParallel).Path ?? Path.Combine(folder, $"model.{place.TensorParallel:00}.pt"),
            $"shard.{place.DataParallel:00}.pt");
    }

    /// <summary>The folder with the ranks that a file would be part of; null when its folder is named otherwise.</summary>
    public static string? RootOf(string file) =>
        Path.GetDirectoryName(file) is { } rank && Rank().IsMatch(Path.GetFileName(rank)) ? Path.GetDirectoryName(rank) : null;

    [GeneratedRegex(@"^model\.([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rank();

    [GeneratedRegex(@"^shard\.([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
