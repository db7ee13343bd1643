using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>The files of a model in GGUF files, opened.</summary>
/// <param name="Folder">The folder that they are in.</param>
/// <param name="Name">The name of the model.</param>
/// <param name="Files">In the order of their numbers.</param>
/// <param name="Tensors">In the order of the model's modules.</param>
/// <param name="Config">The first file, as the one that describes the architecture.</param>
internal sealed record GgufModel(ICheckpointFolder Folder, string Name, ImmutableArray<GgufFile> Files, ImmutableArray<CheckpointTensor> Tensors, ArchitectureFile Config)
{
    /// <summary>Whether a file may be one.</summary>
    public static bool IsNameOfOne(string fileName) => GgufFileName.Parse(fileName) is not null;

    /// <param name="place">The path of the first file, or of a folder with the files of one model.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it is not whole, or damaged, or contradicts itself, or is no LLaMA.</exception>
    public static GgufModel Open(ICheckpointFolder place, CancellationToken cancellationToken)
    {
        var given = FindGiven(place);
        var folder = given?.Folder ?? place;
        string[] names = folder.CanList ? [.. folder.FileNames] : [];
        var first = given ?? FindFirst(folder, names);
        var name = GgufFileName.Parse(first.Name)!;
        RequireComplete(folder, names, name);
        StoredFile[] stored = [.. name.All.Select(one => new StoredFile(folder, one.Text))];

        CheckpointException.ThrowIfAny(
            from file in stored.Where(file => file.Name != first.Name)
            where !file.Exists
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{file.Name}' is missing", File: file.Path),
            $"'{first.Path}' is the first of {name.Count} files, and not all of them are there",
            "Copy the missing files.");

        ImmutableArray<GgufFile> files = [.. stored.Select(file => GgufFile.Open(file.Source, cancellationToken))];
        RequireTogether(files, name);

        ImmutableArray<CheckpointTensor> tensors =
        [
            .. from pair in stored.Zip(files)
               from entry in pair.Second.Tensors
               let tensor = MakeTensor(pair.First, entry)
               where !tensor.ParsedName.IsComputed
               orderby ModuleOrder.Of(tensor.ParsedName, NamingConvention.Fairseq2)
               select tensor,
        ];

        var config = GgufArchitecture.Read(files[0], tensors.Select(tensor => tensor.Name), name.Stem);

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, config.Architecture!),
            $"The tensors of '{first.Path}' contradict its metadata",
            "Get the file again from its source.");

        return new GgufModel(folder, name.Stem, files, tensors, config);
    }

    /// <summary>The file at a place, which must be the first of a model; null for a folder.</summary>
    /// <exception cref="CheckpointException">There is neither, or it is a further file of a model, or one of another kind.</exception>
    private static StoredFile? FindGiven(ICheckpointFolder place)
    {
        if (!place.Exists && StoredFile.At(place) is { } file && GgufFileName.Parse(file.Name) is { } given)
        {
            return given.Number == 1
                ? file
                : throw new CheckpointException(
                    CheckpointErrorCode.CheckpointUnrecognized,
                    $"'{file.Path}' is file {given.Number} of {given.Count} of a model. Give the first, '{file.Folder.PathOf((given with { Number = 1 }).Text)}'.",
                    file.Path);
        }

        CheckpointFolder.Require(place);
        return null;
    }

    /// <param name="folder">A folder.</param>
    /// <param name="names">The names of its files.</param>
    /// <exception cref="CheckpointException">It does not hold one model.</exception>
    private static StoredFile FindFirst(ICheckpointFolder folder, IEnumerable<string> names)
    {
        StoredFile[] firsts = [.. names.Where(name => GgufFileName.Parse(name) is { Number: 1 }).Order(StringComparer.Ordinal).Select(name => new StoredFile(folder, name))];

        return firsts switch
        {
            [var only] => only,
            [] => throw CheckpointFolder.Unrecognized(folder.Path, "holds no GGUF file, or not the first of a split model."),
            _ => throw CheckpointFolder.Unrecognized(
                folder.Path, $"holds {firsts.Length} models in GGUF files. Give the path of one: {string.Join(", ", firsts.Select(first => first.Name))}."),
        };
    }

    /// <summary>Where a job has written a file, the files of other jobs may be missing, or of an earlier export.</summary>
    /// <exception cref="CheckpointException">Jobs are still at work.</exception>
    private static void RequireComplete(ICheckpointFolder folder, IEnumerable<string> names, GgufFileName name)
    {
        if (names.Select(ShardRecord.FileOf).OfType<string>().FirstOrDefault(file => GgufFileName.Parse(file)?.Stem == name.Stem) is { } written)
        {
            throw CheckpointFolder.Unrecognized(
                folder.PathOf(written), "was exported by a job, and the export is not complete. When all jobs are done, run the export once more with -CompleteShards.");
        }
    }

    /// <exception cref="CheckpointException">One is of another model, or of another place in it.</exception>
    private static void RequireTogether(ImmutableArray<GgufFile> files, GgufFileName name)
    {
        for (var index = 0; index < files.Length && name.Count > 1; index++)
        {
            var metadata = files[index].Metadata;

            var (number, count) = (metadata.Integer(MetadataKeys.SplitNumber), metadata.Integer(MetadataKeys.SplitCount));

            if (number != index || count != name.Count)
            {
                var claim = number is null || count is null ? "does not say which file of a model it is, and its name says" : $"says that it is file {number + 1L} of {count}, not";
                throw new CheckpointException(
                    CheckpointErrorCode.ShardMismatch,
                    string.Create(CultureInfo.InvariantCulture, $"'{files[index].Source.Name}' {claim} {index + 1} of {name.Count}. Check that the files are not mixed up."),
                    files[index].Source.Name);
            }
        }

        if (name.Count == 1 && files[0].Metadata.Integer(MetadataKeys.SplitCount) is > 1 and var parts)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch,
                $"'{files[0].Source.Name}' is one of {parts} files of a model, and its name does not say so. Give it the name that it had, such as"
                    + $" {new GgufFileName(name.Stem, (files[0].Metadata.Integer(MetadataKeys.SplitNumber) ?? 0) + 1, parts).Text}.",
                files[0].Source.Name);
        }

        var tensorCount = files.Sum(file => file.Tensors.Count);

        if (files[0].Metadata.Integer(MetadataKeys.SplitTensorCount) is { } told && told != tensorCount)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ShardMismatch, $"'{files[0].Source.Name}' says that the model has {told} tensors, and its files have {tensorCount}.", files[0].Source.Name);
        }

        if (files.SelectMany(file => file.Tensors).GroupBy(tensor => tensor.Key, StringComparer.Ordinal).FirstOrDefault(group => group.Skip(1).Any()) is { } twice)
        {
            throw new CheckpointException(CheckpointErrorCode.ShardMismatch, $"Several of the files of '{files[0].Source.Name}' have a '{twice.Key}'.", files[0].Source.Name);
        }
    }

    private static CheckpointTensor MakeTensor(StoredFile file, KeyValuePair<string, TensorView> entry)
    {
        var (name, tensor) = entry;
        var shard = new TensorShard(new ShardFile(file, default), name, tensor);
        return new CheckpointTensor(ParameterName.Parse(name, NamingConvention.Gguf), tensor.DType, tensor.Shape, null, [[new TensorPart(tensor)]], [shard]);
    }
}
