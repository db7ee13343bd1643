using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Sharding;

/// <summary>
/// Fits tensor-parallel ranks together: each parameter along the dim that the catalogue names, the tables of the vocabulary along the dim
/// that the shapes show to be divided. Every rank has a copy of tensors that are not divided.
/// </summary>
internal static class TensorParallelShards
{
    /// <param name="ranks">The ranks of one pipeline stage.</param>
    /// <param name="modelDim">The model dim, where it is known.</param>
    /// <param name="findings">Gets what does not fit.</param>
    public static IEnumerable<CheckpointTensor> Join(IReadOnlyList<PartialModel> ranks, long? modelDim, ICollection<CheckpointFinding> findings)
    {
        var first = ranks[0];

        foreach (var rank in ranks.Skip(1))
        {
            first.ReportLackedBy(rank, findings);
            rank.ReportLackedBy(first, findings);
        }

        return
            from tensor in first.Tensors
            let parts = ranks.Select(rank => rank.Find(tensor.Name.Name)).OfType<PartialTensor>().ToArray()
            where parts.Length == ranks.Count
            let joined = Join(parts, modelDim, findings)
            where joined is not null
            select joined;
    }

    /// <summary>Norms are copied, so each has the model dim in every rank; but not every pipeline stage has one.</summary>
    /// <param name="ranks">Ranks of any stages.</param>
    public static long? FindModelDim(IEnumerable<PartialModel> ranks) =>
        ranks.SelectMany(rank => rank.Tensors).FirstOrDefault(tensor => tensor.Name.Parameter is { Split: TensorSplit.Replicated })?.Shape.ElementCount;

    private static CheckpointTensor? Join(PartialTensor[] ranks, long? modelDim, ICollection<CheckpointFinding> findings)
    {
        var first = ranks[0];
        var misfits = ranks.Where(part => part.DType != first.DType || part.IsBigEndian != first.IsBigEndian || !part.Shape.Equals(first.Shape)).ToArray();

        foreach (var part in misfits)
        {
            findings.Add(ShardFindings.Differ(part, first));
        }

        if (misfits.Length > 0)
        {
            return null;
        }

        ImmutableArray<TensorShard> shards = [.. ranks.SelectMany(part => part.Shards)];

        if (ranks.Length == 1 || FindSplitDim(first, modelDim) is not { } dim)
        {
            return new CheckpointTensor(first.Name, first.DType, first.Shape, null, [.. ranks.Select(part => part.Parts)], shards);
        }

        try
        {
            var whole = first.Shape.With(dim, checked(first.Shape[dim] * ranks.Length));
            ImmutableArray<TensorPart> parts =
            [
                .. from rank in Enumerable.Range(0, ranks.Length)
                   from part in ranks[rank].Parts
                   select part.MovedBy(dim, rank * first.Shape[dim]),
            ];

            return new CheckpointTensor(first.Name, first.DType, whole, dim, [parts], shards);
        }
        catch (OverflowException)
        {
            findings.Add(ShardFindings.TooLarge(first));
            return null;
        }
    }

    /// <summary>The dim along which the parts lie; null where each rank holds all of the tensor.</summary>
    private static int? FindSplitDim(PartialTensor part, long? modelDim)
    {
        int? dim = part.Name.Parameter switch
        {
            { IsVocabularyTable: true } => part.Shape is { Count: 2 } && part.Shape[1] == modelDim ? 0 : 1,
            { Split: TensorSplit.Rows } => 0,
            { Split: TensorSplit.Columns } => 1,
            _ => null,
        };

        return dim < part.Shape.Count ? dim : null;
    }
}
