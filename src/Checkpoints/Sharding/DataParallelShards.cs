using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Sharding;

/// <summary>
/// Fits the files of sharded data parallelism (fairseq2's sdp) together: every parameter is divided along dim 0, norms too. Shards need
/// not be even, and where there are more ranks than rows the last are empty: of shape (0) whatever the parameter's (FSDP2), or absent (FSDP1).
/// </summary>
internal static class DataParallelShards
{
    public static PartialModel Join(IReadOnlyList<PartialModel> ranks, ICollection<CheckpointFinding> findings)
    {
        if (ranks is [var only])
        {
            return only;
        }

        foreach (var rank in ranks.Skip(1))
        {
            rank.ReportLackedBy(ranks[0], findings);
        }

        return new PartialModel(ranks[0].File, ranks[0].Tensors.Select(tensor => Join(tensor, ranks, findings)).OfType<PartialTensor>());
    }

    private static PartialTensor? Join(PartialTensor tensor, IReadOnlyList<PartialModel> ranks, ICollection<CheckpointFinding> findings)
    {
        var parts = ranks.Select(rank => rank.Find(tensor.Name.Name)).ToArray();
        var gap = Array.IndexOf(parts, null);

        if (gap >= 0 && !MayEndAt(gap, parts))
        {
            var other = Array.Find(parts[gap..], part => part is not null) ?? tensor;

            findings.Add(ShardFindings.Mismatch(
                $"'{ranks[gap].File}' lacks the tensor '{tensor.Name.Name}' that '{other.File}' has", tensor.Name.Name, ranks[gap].File));
            return null;
        }

        return Join([.. parts.OfType<PartialTensor>()], findings);
    }

    /// <summary>Whether the ranks from one on have nothing of a tensor because there is nothing left of it.</summary>
    private static bool MayEndAt(int end, PartialTensor?[] parts)
    {
        var rows = parts[..end].Select(part => part!.Shape.ElementCount == 0 ? 0 : part.Shape.Sizes.FirstOrDefault()).ToArray();
        return Array.TrueForAll(parts[end..], part => part is null) && TorchChunk.Divide(rows.Sum(), parts.Length).Take(end).SequenceEqual(rows);
    }

    private static PartialTensor? Join(IReadOnlyList<PartialTensor> ranks, ICollection<CheckpointFinding> findings)
    {
        var filled = ranks.Where(part => part.Shape.ElementCount > 0).ToArray();
        var first = filled.FirstOrDefault() ?? ranks[0];

        if (filled.FirstOrDefault(part => !Fits(part, first)) is { } other)
        {
            findings.Add(ShardFindings.Differ(other, first));
            return null;
        }

        if (first.Shape.Count == 0)
        {
            findings.Add(ShardFindings.Mismatch(
                $"'{first.Name.Name}' is a single number in each of {ranks.Count} files, but only tensors with rows can be divided",
                first.Name.Name,
                first.File));
            return null;
        }

        var parts = ImmutableArray.CreateBuilder<TensorPart>();
        var rows = 0L;

        try
        {
            foreach (var part in filled)
            {
                parts.Add(part.Parts[0].MovedBy(0, rows));
                rows = checked(rows + part.Shape[0]);
            }

            return first with
            {
                Shape = filled.Length == 0 ? first.Shape : first.Shape.With(0, rows),
                Parts = filled.Length == 0 ? first.Parts : parts.ToImmutable(),
                Shards = [.. ranks.SelectMany(part => part.Shards)],
            };
        }
        catch (OverflowException)
        {
            findings.Add(ShardFindings.TooLarge(first));
            return null;
        }
    }

    private static bool Fits(PartialTensor part, PartialTensor other) =>
        part.DType == other.DType && part.IsBigEndian == other.IsBigEndian && part.Shape.Count == other.Shape.Count
        && part.Shape.Sizes.Skip(1).SequenceEqual(other.Shape.Sizes.Skip(1));
}
