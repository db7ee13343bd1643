using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// One of the ways in which fairseq2 divides a model, as shown by names: a folder <c>tp_00</c>, or, where it is the last way, a file
/// <c>tp_00.pt</c>.
/// </summary>
internal sealed partial class ShardLevel
{
    private const string Extension = ".pt";

    private readonly string _name;
    private readonly Regex _folder;
    private readonly Regex _file;

    private ShardLevel(string name, Func<ShardCoordinates, int> rankIn, Func<ShardCoordinates, int, ShardCoordinates> at)
    {
        _name = name;
        _folder = new Regex($@"^{name}_([0-9]{{2}}|[1-9][0-9]{{2,4}})\z", RegexOptions.CultureInvariant);
        _file = new Regex($@"^{name}_([0-9]{{2}}|[1-9][0-9]{{2,4}})\.pt\z", RegexOptions.CultureInvariant);
        RankIn = rankIn;
        At = at;
    }

    /// <summary>Pipeline stages, each with layers of its own.</summary>
    public static ShardLevel Pipeline { get; } =
        new("pp", place => place.Pipeline, (place, rank) => place with { Pipeline = rank });

    public static ShardLevel TensorParallel { get; } =
        new("tp", place => place.TensorParallel, (place, rank) => place with { TensorParallel = rank });

    /// <summary>Sharded data parallelism.</summary>
    public static ShardLevel DataParallel { get; } =
        new("sdp", place => place.DataParallel, (place, rank) => place with { DataParallel = rank });

    /// <summary>The rank of a place in this way.</summary>
    public Func<ShardCoordinates, int> RankIn { get; }

    /// <summary>A place with another rank in this way.</summary>
    public Func<ShardCoordinates, int, ShardCoordinates> At { get; }

    public string FolderName(int rank) => string.Create(CultureInfo.InvariantCulture, $"{_name}_{rank:00}");

    public string FileName(int rank) => FolderName(rank) + Extension;

    public IEnumerable<(ICheckpointFolder Folder, int Number)> FoldersIn(ICheckpointFolder folder) => NumberedEntries.Folders(folder, _folder);

    public IEnumerable<(StoredFile File, int Number)> FilesIn(ICheckpointFolder folder) => NumberedEntries.Files(folder, _file);

    /// <summary>Whether a folder has the name of a rank of any way.</summary>
    public static bool IsRank(string name) => AnyFolder().IsMatch(name);

    /// <summary>Whether a file has the name of a rank of any way.</summary>
    public static bool IsRankFile(string name) =>
        name.EndsWith(Extension, StringComparison.Ordinal) && IsRank(name[..^Extension.Length]);

    [GeneratedRegex(@"^(pp|tp|sdp)_([0-9]{2}|[1-9][0-9]{2,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex AnyFolder();
}
