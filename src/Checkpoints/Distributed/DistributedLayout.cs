using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>The files of a folder that say what a distributed checkpoint holds, in one of the forms in which PyTorch writes them.</summary>
/// <param name="Folder">The folder that they are in.</param>
/// <param name="Files">One for all; one of each rank, where ranks save without talking to each other; or none, where the data describes itself.</param>
/// <param name="Shards">The safetensors files that describe themselves.</param>
internal sealed partial record DistributedLayout(ICheckpointFolder Folder, ImmutableArray<StoredFile> Files, ImmutableArray<StoredFile> Shards)
{
    private const string MetadataName = ".metadata", FirstRankName = "__0.metadata", DataSuffix = ".distcp", ShardFolder = "sharded";

    /// <summary>The file that completes a checkpoint.</summary>
    public static string MarkerName => MetadataName;

    /// <summary>Whether a folder holds such a checkpoint, whole or not.</summary>
    public static bool IsIn(ICheckpointFolder folder) =>
        folder.HasFile(MetadataName) || folder.HasFile(FirstRankName)
        || (CanLookInto(folder) && (folder.FileNames.Any(IsPart) || HasShards(folder.Folder(ShardFolder))));

    /// <summary>Whether a file of that name holds parts of tensors.</summary>
    public static bool HoldsWeights(string name) => name.EndsWith(DataSuffix, StringComparison.Ordinal) || ShardFile().IsMatch(name);

    /// <summary>Whether a file of that name is a part of one.</summary>
    public static bool IsPart(string name) => name == MetadataName || IsOfRank(name) || HoldsWeights(name);

    /// <exception cref="CheckpointException">There are none, or not all.</exception>
    public static DistributedLayout Find(ICheckpointFolder folder)
    {
        if (folder.HasFile(MetadataName) && !ForeignCheckpoint.IsOfMegatronCore(folder))
        {
            return new DistributedLayout(folder, [new StoredFile(folder, MetadataName)], []);
        }

        if (folder.HasFile(FirstRankName) || (CanLookInto(folder) && folder.FileNames.Any(IsOfRank)))
        {
            return new DistributedLayout(folder, [.. RequireAll(folder, MatchIn(folder, OfRank()), first: 0, rank => $"__{rank}.metadata")], []);
        }

        var place = HasShards(folder) ? folder : folder.Folder(ShardFolder);

        if (HasShards(place))
        {
            return new DistributedLayout(place, [], [.. RequireAll(place, MatchIn(place, ShardFile()), first: 1, rank => $"shard-{rank:00000}-model-….safetensors")]);
        }

        if (ForeignCheckpoint.Describe(folder) is { } foreign)
        {
            throw CheckpointFolder.Unrecognized(folder.Path, foreign);
        }

        throw IsIn(folder)
            ? new CheckpointException(
                CheckpointErrorCode.MissingShard,
                $"'{folder.Path}' holds *{DataSuffix} files, but no {MetadataName}, which PyTorch writes last: saving was interrupted, or a program that skips hidden files copied"
                    + " the folder. Copy that file, too, or use an earlier checkpoint.",
                folder.Path)
            : CheckpointFolder.Unrecognized(folder.Path, $"holds no {MetadataName}. Expected a distributed checkpoint of PyTorch.");
    }

    /// <exception cref="CheckpointException">The files can't be read, are damaged, or ask for what no metadata needs.</exception>
    public DistributedIndex Open(CancellationToken cancellationToken) => Files.IsEmpty
        ? new ShardIndex(Folder, Shards, cancellationToken)
        : new MetadataIndex(Folder, Files[0].Path, [.. Files.Select(file => MetadataFile.Read(file.Source, cancellationToken))]);

    private static bool HasShards(ICheckpointFolder folder) => CanLookInto(folder) && folder.FileNames.Any(ShardFile().IsMatch);

    private static bool CanLookInto(ICheckpointFolder folder) => folder.Exists && folder.CanList;

    private static bool IsOfRank(string name) => OfRank().IsMatch(name);

    private static IEnumerable<(int Rank, StoredFile File)> MatchIn(ICheckpointFolder folder, Regex pattern) =>
        from name in folder.FileNames
        let match = pattern.Match(name)
        where match.Success
        let rank = int.TryParse(match.Groups["rank"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue
        orderby rank, name
        select (rank, new StoredFile(folder, name));

    /// <summary>Each rank between the first and the last has to be there. Nothing says how many there were.</summary>
    private static IEnumerable<StoredFile> RequireAll(ICheckpointFolder folder, IEnumerable<(int Rank, StoredFile File)> found, int first, Func<int, string> nameOf)
    {
        var ranks = found.ToArray();
        var expected = first;

        foreach (var rank in ranks.Select(file => file.Rank).Distinct())
        {
            if (rank != expected++)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.MissingShard, $"'{folder.Path}' holds '{ranks[^1].File.Name}', but lacks '{nameOf(expected - 1)}'. Copy the missing files.", folder.Path);
            }
        }

        return ranks.Select(file => file.File);
    }

    [GeneratedRegex(@"^__(?<rank>[0-9]+)\.metadata\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfRank();

    /// <summary>As _gen_file_name of _hf_utils.py names them; ranks count from 1.</summary>
    [GeneratedRegex(@"^shard-(?<rank>[0-9]+)-model-[0-9]+-of-[0-9]+\.safetensors\z", RegexOptions.CultureInvariant)]
    private static partial Regex ShardFile();
}
