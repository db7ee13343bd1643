using System.Collections.Immutable;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.HuggingFace;

/// <summary>model.safetensors.index.json: which tensor is in which file.</summary>
internal sealed class WeightIndex
{
    public const string FileName = "model.safetensors.index.json";

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _fileOf;

    private WeightIndex(string path, IReadOnlyDictionary<string, string> fileOf)
    {
        _path = path;
        _fileOf = fileOf;
        Files = [.. fileOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The names of the files in the order of their numbers.</summary>
    public ImmutableArray<string> Files { get; }

    /// <exception cref="CheckpointException">It can't be read, names files elsewhere, or one that is missing.</exception>
    public static WeightIndex Read(ICheckpointFolder folder)
    {
        var path = folder.PathOf(FileName);
        var map = JsonSettings.Read(folder.SourceOf(FileName)).Find("weight_map") ?? throw CheckpointException.Corrupt(path, "it has no 'weight_map'.");
        var index = new WeightIndex(path, map.Texts);

        if (index.Files.FirstOrDefault(file => !StoredFile.IsName(file)) is { } elsewhere)
        {
            throw CheckpointException.Corrupt(path, $"it names the file '{elsewhere}', which is not in its folder.");
        }

        CheckpointException.ThrowIfAny(
            from file in index.Files
            where !folder.HasFile(file)
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{file}' is missing", File: folder.PathOf(file)),
            $"'{folder.Path}' lacks files that its {FileName} names",
            "Copy the missing files.");

        return index;
    }

    /// <exception cref="CheckpointException">The files hold other tensors than it says.</exception>
    public void RequireMatch(IEnumerable<(StoredFile File, SafeTensorsFile Content)> files)
    {
        var found = files.SelectMany(file => file.Content.Tensors.Select(entry => (entry.Name, File: file.File.Name))).ToHashSet();
        var expected = _fileOf.Select(entry => (Name: entry.Key, File: entry.Value)).ToHashSet();

        CheckpointException.ThrowIfAny(
            from pair in expected.Except(found).Concat(found.Except(expected)).Order()
            select new CheckpointFinding(
                FindingSeverity.Error,
                CheckpointErrorCode.CheckpointCorrupt,
                $"'{pair.Name}' {(expected.Contains(pair) ? "should be, and is not," : "is, and should not be,")} in '{pair.File}'",
                pair.Name),
            $"The files beside '{_path}' do not match it",
            "Copy all of them again from the same source.");
    }
}
