using System.Text.RegularExpressions;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model.pt/shard.00.pt</c>, …: a folder named like the file of other versions, in it a file for every rank of sharded data parallelism;
/// with tensor parallelism <c>model.00.pt/shard.00.pt</c>, …. No release of fairseq2 writes it; its main branch did from February to May
/// 2025, between 0.4 and 0.5 (commits 316ed66d2 to b91190f1c).
/// </summary>
internal sealed partial class ShardFolderLayout : ICheckpointLayout
{
    public CheckpointFiles? Find(ICheckpointFolder folder)
    {
        var single = new[] { folder.Folder(SingleFileLayout.FileName), folder }
            .Where(rank => NumberedEntries.Files(rank, Shard()).Any())
            .Select(rank => (Folder: rank, Number: 0))
            .Take(1);

        var ranks = single.Concat(NumberedEntries.Folders(folder, Rank())).ToArray();

        ShardFile[] shards =
        [
            .. from rank in ranks
               from file in NumberedEntries.Files(rank.Folder, Shard())
               select new ShardFile(file.File, new ShardCoordinates(TensorParallel: rank.Number, DataParallel: file.Number)),
        ];

        return shards.Length == 0
            ? null
            : new CheckpointFiles(shards, PathOf, ranks.SelectMany(rank => NamedLikeShards(rank.Folder)));

        string PathOf(ShardCoordinates place) =>
            (ranks.FirstOrDefault(rank => rank.Number == place.TensorParallel).Folder ?? folder.Folder($"model.{place.TensorParallel:00}.pt"))
                .PathOf($"shard.{place.DataParallel:00}.pt");
    }

    /// <summary>The folder with the ranks that a file would be part of; null when its folder is named otherwise.</summary>
    public static ICheckpointFolder? RootOf(StoredFile file) => Rank().IsMatch(file.Folder.Name) ? file.Folder.Parent : null;

    private static IEnumerable<string> NamedLikeShards(ICheckpointFolder rank) =>
        from name in rank.FileNames
        where name == "shard" || name.StartsWith("shard.", StringComparison.Ordinal)
        select rank.PathOf(name);

    [GeneratedRegex(@"^model\.([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rank();

    [GeneratedRegex(@"^shard\.([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
