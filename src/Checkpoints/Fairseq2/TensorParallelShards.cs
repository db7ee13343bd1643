using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// Fits the state dicts of tensor-parallel ranks together: the same names everywhere, the shapes those of one model. Nothing is
/// merged here; each tensor of the checkpoint knows its shape as a whole and its parts.
/// </summary>
internal static class TensorParallelShards
{
    /// <param name="ranks">The state dicts by rank; names come in the order of the first.</param>
    /// <exception cref="CheckpointException">They are not the shards of one model.</exception>
    public static ImmutableArray<CheckpointTensor> Join(IReadOnlyList<StateDict> ranks)
    {
        var first = ranks[0];

        foreach (var other in ranks.Skip(1))
        {
            CheckNames(first, other);
        }

        return [.. first.Entries.Select(entry => Join(entry.Name, ranks))];
    }

    private static void CheckNames(StateDict first, StateDict other)
    {
        var absent = first.Entries.FirstOrDefault(entry => other.Find(entry.Name) is null);
        var extra = other.Entries.FirstOrDefault(entry => first.Find(entry.Name) is null);

        if ((absent ?? extra) is not { } odd)
        {
            return;
        }

        var (with, without) = absent is not null ? (first, other) : (other, first);
        throw Mismatch(without, $"'{without.File.Source.Name}' lacks the tensor '{odd.Name}' that '{with.File.Source.Name}' has");
    }

    private static CheckpointTensor Join(string name, IReadOnlyList<StateDict> ranks)
    {
        var parsedName = ParameterName.Parse(name);
        var entries = ranks.Select(rank => rank.Find(name)!).ToArray();
        var part = entries[0].Tensor;
        var dim = ranks.Count > 1 ? FindSplitDim(parsedName.Parameter, part.Shape, ranks[0]) : null;

        for (var rank = 1; rank < ranks.Count; rank++)
        {
            var tensor = entries[rank].Tensor;

            if (tensor.DType != part.DType || !tensor.Shape.Equals(part.Shape))
            {
                throw Mismatch(
                    ranks[rank],
                    $"'{name}' is {tensor.DType.GetTorchName()} {tensor.Shape} in '{ranks[rank].File.Source.Name}'"
                    + $" and {part.DType.GetTorchName()} {part.Shape} in '{ranks[0].File.Source.Name}'");
            }
        }

        return new CheckpointTensor(
            parsedName,
            part.DType,
            dim is { } split ? Widen(name, part.Shape, split, ranks) : part.Shape,
            dim,
            [.. entries.Select((entry, rank) => new TensorShard(ranks[rank].File.Source.Name, entry.RawName, entry.Tensor))]);
    }

    private static TensorShape Widen(string name, TensorShape part, int dim, IReadOnlyList<StateDict> ranks)
    {
        try
        {
            return part.With(dim, checked(part[dim] * ranks.Count));
        }
        catch (OverflowException)
        {
            throw Mismatch(ranks[0], $"'{name}' is {part} in '{ranks[0].File.Source.Name}', too large for {ranks.Count} shards");
        }
    }

    /// <summary>The dim along which the parts lie; null where each holds all of the tensor.</summary>
    private static int? FindSplitDim(LlamaParameter? parameter, TensorShape part, StateDict stateDict)
    {
        var dim = parameter?.Split switch
        {
            TensorSplit.Rows => 0,
            TensorSplit.Columns => 1,
            TensorSplit.VocabularyOrModel => part is [_, var width] && width == FindModelDim(stateDict) ? 0 : 1,
            _ => (int?)null,
        };

        return dim < part.Count ? dim : null;
    }

    // Norms are replicated, so each has the model dim in every shard.
    private static long? FindModelDim(StateDict stateDict) =>
        stateDict.Entries
            .FirstOrDefault(entry => ParameterName.Parse(entry.Name).Parameter is { Split: TensorSplit.Replicated })
            ?.Tensor.Shape.ElementCount;

    private static CheckpointException Mismatch(StateDict stateDict, string what) => new(
        CheckpointErrorCode.ShardMismatch,
        $"{what}. They are not shards of one checkpoint; check that none was left over from another run.",
        stateDict.File.Source.Name);
}
