using System.Text.RegularExpressions;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model.0.pt</c>, <c>model.1.pt</c>, …, as fairseq2 0.3.0 to 0.4.6 write it with tensor parallelism. Its main branch wrote
/// <c>model.00.pt</c>, … from February to May 2025 (commits 316ed66d2 to 7a3de7026).
/// </summary>
internal sealed partial class TensorParallelLayout : ICheckpointLayout
{
    public CheckpointFiles? Find(string folder)
    {
        var files = NumberedEntries.In(folder, Directory.EnumerateFiles, FileName()).ToArray();
        var isPadded = !Array.Exists(files, file => file.Number < 10 && !IsPadded(file.Path));

        ShardFile[] shards =
        [
            .. from file in files
               where file.Number >= 10 || isPadded == IsPadded(file.Path)
               select new ShardFile(file.Path, new ShardCoordinates(TensorParallel: file.Number)),
        ];

        return shards.Length == 0
            ? null
            : new CheckpointFiles(
                shards,
                place => Path.Combine(folder, isPadded ? $"model.{place.TensorParallel:00}.pt" : $"model.{place.TensorParallel}.pt"),
                CheckpointFiles.NamedLikeModels(folder),
                least: new ShardCoordinates(TensorParallel: 1)); // a single one would be model.pt
    }

    private static bool IsPadded(string path) => Path.GetFileName(path).StartsWith("model.0", StringComparison.Ordinal) && Path.GetFileName(path) != "model.0.pt";

    [GeneratedRegex(@"^model\.(0?[0-9]|[1-9][0-9]{1,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
