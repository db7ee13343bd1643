using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Fairseq2;

/// <summary><c>model.0.pt</c>, <c>model.1.pt</c>, …, as fairseq2 0.3.0 to 0.4.6 write it with tensor parallelism.</summary>
internal sealed partial class TensorParallelLayout : ICheckpointLayout
{
    public IReadOnlyList<ShardFile>? Find(string folder)
    {
        var shards = Directory.EnumerateFiles(folder, "model.*.pt")
            .Select(path => (Path: path, Match: FileNamePattern().Match(Path.GetFileName(path))))
            .Where(file => file.Match.Success)
            .Select(file => new ShardFile(file.Path, int.Parse(file.Match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)))
            .OrderBy(shard => shard.TensorParallelRank)
            .ToArray();

        if (shards.Length == 0)
        {
            return null;
        }

        var missing = Enumerable.Range(0, shards.Length).Except(shards.Select(shard => shard.TensorParallelRank)).ToArray();

        return missing.Length == 0
            ? shards
            : throw new CheckpointException(
                CheckpointErrorCode.MissingShard,
                $"'{folder}' holds {string.Join(", ", shards.Select(shard => Path.GetFileName(shard.Path)))} but not"
                + $" {string.Join(", ", missing.Select(rank => $"model.{rank}.pt"))}. Copy the missing file from where the model was trained.",
                Path.Combine(folder, $"model.{missing[0]}.pt"));
    }

    [GeneratedRegex(@"^model\.(0|[1-9][0-9]{0,4})\.pt$", RegexOptions.CultureInvariant)]
    private static partial Regex FileNamePattern();
}
