using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model/pp_00/tp_00/sdp_00.pt</c>, …, as fairseq2 writes it from 0.5.0 on: a file for every pipeline stage, tensor-parallel rank and
/// rank of sharded data parallelism. The <c>model</c> folder can be given, too. Before, its main branch left out what did not divide
/// the model: see <see cref="Shorter"/>.
/// </summary>
/// <param name="levels">The ways of dividing that have names in the paths, from the outermost one; those that are left out have one rank.</param>
internal sealed class NativeShardLayout(params ShardLevel[] levels) : ICheckpointLayout
{
    public const string FolderName = "model";

    private static readonly ShardLevel[] AllLevels = [ShardLevel.Pipeline, ShardLevel.TensorParallel, ShardLevel.DataParallel];

    private readonly bool _isShorter = levels.Length < AllLevels.Length;

    public NativeShardLayout()
        : this(AllLevels)
    {
    }

    /// <summary>
    /// <c>model/tp_00/sdp_00.pt</c>, <c>model/tp_00.pt</c> and <c>model/sdp_00.pt</c>. No release of fairseq2 writes them; its main branch did in
    /// May and June 2025 (commits 7a3de7026 to a55d5ce6f), with <c>model.pt</c> where nothing divides the model.
    /// </summary>
    public static IEnumerable<NativeShardLayout> Shorter { get; } =
    [
        new(ShardLevel.TensorParallel, ShardLevel.DataParallel), new(ShardLevel.TensorParallel), new(ShardLevel.DataParallel),
    ];

    public CheckpointFiles? Find(ICheckpointFolder folder) =>
        new[] { folder.Folder(FolderName), folder }.Where(place => place.Exists).Select(FindIn).FirstOrDefault(found => found is not null);

    /// <summary>The files in a folder that holds nothing else.</summary>
    public CheckpointFiles? FindIn(ICheckpointFolder root)
    {
        List<(ICheckpointFolder Folder, ShardCoordinates Place)> folders = [(root, default)], all = [.. folders];

        foreach (var level in levels.SkipLast(1))
        {
            folders = [.. from folder in folders from entry in level.FoldersIn(folder.Folder) select (entry.Folder, level.At(folder.Place, entry.Number))];
            all.AddRange(folders);
        }

        ShardFile[] shards =
        [
            .. from folder in folders
               from file in levels[^1].FilesIn(folder.Folder)
               select new ShardFile(file.File, levels[^1].At(folder.Place, file.Number)),
        ];

        // Only the places where fairseq2 puts files: links below could lead anywhere.
        return shards.Length == 0
            ? null
            : new CheckpointFiles(
                shards,
                place => PathOf(root, place),
                all.SelectMany(folder => EntriesOf(folder.Folder)).Except(all.Select(folder => folder.Folder.Path)),
                least: LeastIn(root));
    }

    /// <summary>The folder with all ranks that a file would be part of; null when its name is not a rank's.</summary>
    public static ICheckpointFolder? RootOf(StoredFile file)
    {
        if (!ShardLevel.IsRankFile(file.Name))
        {
            return null;
        }

        ICheckpointFolder? folder = file.Folder;

        while (folder is not null && ShardLevel.IsRank(folder.Name))
        {
            folder = folder.Parent;
        }

        return folder;
    }

    private static IEnumerable<string> EntriesOf(ICheckpointFolder folder) => folder.FileNames.Concat(folder.FolderNames).Select(folder.PathOf);

    private string PathOf(ICheckpointFolder root, ShardCoordinates place) => levels.SkipLast(1)
        .Aggregate(root, (folder, level) => folder.Folder(level.FolderName(level.RankIn(place))))
        .PathOf(levels[^1].FileName(levels[^1].RankIn(place)));

    /// <summary>A way that had only one rank had no name, so that one rank is one of several; but one file may have been copied by itself.</summary>
    private ShardCoordinates LeastIn(ICheckpointFolder root) =>
        _isShorter && root.Name == FolderName ? levels.Aggregate(default(ShardCoordinates), (place, level) => level.At(place, 1)) : default;
}
