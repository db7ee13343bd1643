using System.Text.RegularExpressions;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// <c>model.0.pt</c>, <c>model.1.pt</c>, …, as fairseq2 0.3.0 to 0.4.6 write it with tensor parallelism. Its main branch wrote
/// <c>model.00.pt</c>, … from February to May 2025 (commits 316ed66d2 to 7a3de7026).
/// </summary>
internal sealed partial class TensorParallelLayout : ICheckpointLayout
{
    public CheckpointFiles? Find(ICheckpointFolder folder)
    {
        var files = NumberedEntries.Files(folder, FileName()).ToArray();
        var isPadded = !Array.Exists(files, file => file.Number < 10 && !IsPadded(file.File.Name));

        ShardFile[] shards =
        [
            .. from file in files
               where file.Number >= 10 || isPadded == IsPadded(file.File.Name)
               select new ShardFile(file.File, new ShardCoordinates(TensorParallel: file.Number)),
        ];

        return shards.Length == 0
            ? null
            : new CheckpointFiles(
                shards,
                place => folder.PathOf(isPadded ? $"model.{place.TensorParallel:00}.pt" : $"model.{place.TensorParallel}.pt"),
                CheckpointFiles.NamedLikeModels(folder),
                least: new ShardCoordinates(TensorParallel: 1)); // a single one would be model.pt
    }

    private static bool IsPadded(string name) => name.StartsWith("model.0", StringComparison.Ordinal) && name != "model.0.pt";

    [GeneratedRegex(@"^model\.(0?[0-9]|[1-9][0-9]{1,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
