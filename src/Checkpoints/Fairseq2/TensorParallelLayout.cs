using System.Text.RegularExpressions;
using Fairseq2Llama.Sharding;

namespace Fairseq2Llama.Fairseq2;

/// <summary><c>model.0.pt</c>, <c>model.1.pt</c>, …, as fairseq2 0.3.0 to 0.4.6 write it with tensor parallelism.</summary>
internal sealed partial class TensorParallelLayout : ICheckpointLayout
{
    public CheckpointFiles? Find(string folder)
    {
        ShardFile[] shards =
        [
            .. from file in NumberedEntries.In(folder, Directory.EnumerateFiles, FileName())
               select new ShardFile(file.Path, new ShardPlace(TensorParallel: file.Number)),
        ];

        return shards.Length == 0
            ? null
            : new CheckpointFiles(
                shards,
                place => Path.Combine(folder, $"model.{place.TensorParallel}.pt"),
                CheckpointFiles.NamedLikeModels(folder),
                minTensorParallel: 2); // a single one would be model.pt
    }

    [GeneratedRegex(@"^model\.(0|[1-9][0-9]{0,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
