using System.Collections.Immutable;

namespace Fairseq2Llama.Merging;

/// <summary>Puts new tensors into a checkpoint.</summary>
internal static class ReplacedTensors
{
    /// <summary>The checkpoint with some of its tensors, and with new ones in their places or behind them.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="tensors">Those of its tensors that stay.</param>
    /// <param name="added">New ones.</param>
    /// <exception cref="CheckpointException">Two new ones have one name.</exception>
    public static MergedCheckpoint In(LlamaCheckpoint checkpoint, IEnumerable<CheckpointTensor> tensors, IReadOnlyCollection<CheckpointTensor> added)
    {
        if (added.GroupBy(tensor => tensor.CanonicalName, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new CheckpointException(CheckpointErrorCode.UnmappedTensor, $"There are several new tensors called '{twice.Key}'. Leave all but one of them out.", twice.Key);
        }

        var rest = added.ToDictionary(tensor => tensor.CanonicalName, StringComparer.Ordinal);
        var merged = ImmutableArray.CreateBuilder<MergedTensor>();

        foreach (var tensor in tensors)
        {
            merged.Add(rest.Remove(tensor.CanonicalName, out var other) ? new MergedTensor(other.ParsedName, other) : new MergedTensor(tensor.ParsedName, tensor));
        }

        merged.AddRange(rest.Values.Select(tensor => new MergedTensor(tensor.ParsedName, tensor)));
        return new MergedCheckpoint(checkpoint, checkpoint.Path, checkpoint.Name, [new MergeSource(checkpoint, MergeRole.Base)], merged.ToImmutable());
    }
}
