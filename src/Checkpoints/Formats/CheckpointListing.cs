using System.Collections.Immutable;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>Finds checkpoints in the listing of a store, which shows files and no folders.</summary>
public static class CheckpointListing
{
    /// <summary>
    /// Finds the outermost folders that hold a checkpoint or a training run, by the names of the listed files. A file with weights, or the one that describes
    /// the model, is enough: the others may have been filtered out of the listing, and are read nevertheless. Of a training run, only the listed steps are meant.
    /// </summary>
    /// <param name="files">The addresses of files in stores.</param>
    /// <returns>
    /// The addresses of the folders, each once, in the order in which their files appear. If a store has none, the file if it is the only one, otherwise the
    /// folder that all files are in: reading it says what is wrong.
    /// </returns>
    public static ImmutableArray<CheckpointAddress> Find(IEnumerable<CheckpointAddress> files)
    {
        CheckpointAddress[] listed = [.. files];
        var roots = new Dictionary<string, ListedFolder>(StringComparer.Ordinal);

        for (var i = 0; i < listed.Length; i++)
        {
            var (root, names) = Split(listed[i].Text);

            if (!roots.TryGetValue(root, out var folder))
            {
                folder = roots[root] = new ListedFolder(root, parent: null, i);
            }

            if (names.Length > 0)
            {
                folder.Add(names, i);
            }
        }

        return
        [
            .. from root in roots.Values
               let found = FindBelow(root)
               from folder in found.Count > 0 ? found : [Common(root)]
               orderby folder.First
               select found.Count == 0 && IsOneFile(folder) ? listed[folder.First] : AddressOf(folder, listed[folder.First].Access),
        ];
    }

    /// <summary>Leaves out files that are further parts of what is read by another one of them, as where a wildcard finds all files of a model.</summary>
    /// <param name="addresses">The addresses of files and folders.</param>
    /// <returns>The others, in their order.</returns>
    public static ImmutableArray<CheckpointAddress> WithoutParts(IReadOnlyCollection<CheckpointAddress> addresses)
    {
        var all = addresses.Select(address => address.Text).ToHashSet(StringComparer.Ordinal);

        return
        [
            .. from address in addresses
               let around = address.Text[..^address.Name.Length]
               where !CheckpointFormats.All.Any(format => format.FirstOf?.Invoke(address.Name) is { } first && all.Contains(around + first))
               select address,
        ];
    }

    /// <summary>First those with weights: any program may have a file that is called config.json.</summary>
    private static List<ListedFolder> FindBelow(ListedFolder root)
    {
        List<ListedFolder> found = [.. Outermost(root, HoldsWeights)];
        var around = found.SelectMany(Around).ToHashSet();
        return [.. found, .. Outermost(root, folder => !around.Contains(folder) && IsDescribed(folder), except: found.ToHashSet())];
    }

    private static IEnumerable<ListedFolder> Outermost(ListedFolder root, Func<ListedFolder, bool> condition, HashSet<ListedFolder>? except = null)
    {
        var pending = new Stack<ListedFolder>([root]);

        while (pending.TryPop(out var folder))
        {
            if (except?.Contains(folder) == true)
            {
                continue;
            }

            if (IsInStore(folder) && condition(folder))
            {
                yield return folder;
                continue;
            }

            foreach (var inner in folder.Folders)
            {
                pending.Push(inner);
            }
        }
    }

    private static bool HoldsWeights(ListedFolder folder) => CheckpointFormats.All.Any(format => format.HasWeightsIn(folder));

    private static bool IsDescribed(ListedFolder folder) => CheckpointFormats.All.Any(format => format.ConfigFile is { } file && folder.HasFile(file));

    private static IEnumerable<ListedFolder> Around(ListedFolder folder)
    {
        for (var around = folder.Parent; around is ListedFolder outer; around = outer.Parent)
        {
            yield return outer;
        }
    }

    /// <summary>The folder that all listed files are in.</summary>
    private static ListedFolder Common(ListedFolder root)
    {
        var common = root;

        while (!common.FileNames.Any() && common.Folders.Take(2).ToArray() is [var only])
        {
            common = only;
        }

        return common;
    }

    private static bool IsOneFile(ListedFolder folder) => folder.FileNames.Take(2).Count() == 1 && !folder.Folders.Any();

    private static CheckpointAddress AddressOf(ListedFolder folder, StoreAccess access) => new(folder.Path, access)
    {
        Choice = TrainingRun.Find(folder) is { Folder: var steps }
            ? new FolderChoice(steps == folder ? "" : steps.Name, steps.FolderNames.ToHashSet(StringComparer.Ordinal))
            : null,
    };

    /// <summary>The root of a server has accounts or containers in it, and no checkpoint.</summary>
    private static bool IsInStore(ListedFolder folder) => folder.Parent is not null || !folder.Path.StartsWith("http", StringComparison.OrdinalIgnoreCase);

    private static (string Root, string[] Names) Split(string address)
    {
        var start = address.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        var end = address.IndexOf('/', start);
        return end < 0 ? (address, []) : (address[..end], address[(end + 1)..].Split('/'));
    }
}
