using System.Collections.Immutable;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Model;

namespace Fairseq2Llama;

/// <summary>Averages checkpoints.</summary>
public static class CheckpointAverage
{
    /// <summary>
    /// The average of checkpoints of one model, of any formats and however divided. Nothing is read yet. Where all have one element type, the average has it, too, rounded once; otherwise
    /// it is float32.
    /// </summary>
    /// <param name="checkpoints">At least two. The average has the names, the architecture and the tokenizer of the first.</param>
    /// <param name="weights">A weight for each; the average is divided by their sum. Empty for equal weights.</param>
    /// <param name="name">Its name; null for that of the first, with "-average" behind it.</param>
    /// <exception cref="CheckpointException">They differ in the names or shapes of their tensors; a tensor can't be averaged; or the weights are no weights of an average.</exception>
    public static MergedCheckpoint Of(IReadOnlyList<LlamaCheckpoint> checkpoints, ImmutableArray<double> weights = default, string? name = null)
    {
        weights = weights.IsDefaultOrEmpty ? [.. checkpoints.Select(_ => 1.0)] : weights;
        RequireWeights(checkpoints, weights);

        var first = checkpoints[0];
        name ??= $"{first.Name}-average";
        var models = checkpoints.Select(checkpoint => new MergedModel(checkpoint)).ToArray();
        RequireSame(models);

        var recipes = new Dictionary<ImmutableArray<CheckpointTensor>, WeightedAverage>(new SameStorages());

        return new MergedCheckpoint(
            first,
            name,
            name,
            [.. checkpoints.Zip(weights, (checkpoint, weight) => new MergeSource(checkpoint, MergeRole.Averaged) { Weight = weight })],
            [.. NamesOf(models).Select(tensor => new MergedTensor(models[0].NameOf(tensor), Average(tensor)))])
        {
            MergeWarnings =
            [
                .. from other in checkpoints.Skip(1)
                   let contradiction = first.Architecture is { } architecture ? other.ArchitectureFile?.Contradict(architecture) : null
                   where contradiction is not null
                   select $"{contradiction}, which '{first.Path}' has. The average has the architecture of the first.",
                .. from same in checkpoints.Where(checkpoint => checkpoint is not MergedCheckpoint).GroupBy(checkpoint => checkpoint.Path)
                   where same.Count() > 1
                   select $"'{same.Key}' was given {same.Count()} times. The average counts it as {same.Count()} checkpoints.",
            ],
        };

        WeightedAverage Average(string tensor)
        {
            ImmutableArray<CheckpointTensor> inputs = [.. models.Select(model => model.Find(tensor)!)];

            if (!recipes.TryGetValue(inputs, out var recipe))
            {
                recipes.Add(inputs, recipe = new WeightedAverage(MergeTypes.ResultOf(inputs), inputs, weights, inputs[0].HalfSplitHeadDim));
            }

            return recipe;
        }
    }

    /// <summary>Formats leave an output projection out that is tied to the embeddings, and in another of the checkpoints it need not be.</summary>
    private static IEnumerable<string> NamesOf(MergedModel[] models) =>
        models.SelectMany(model => model.Names).Distinct(StringComparer.Ordinal);

    private static void RequireWeights(IReadOnlyList<LlamaCheckpoint> checkpoints, ImmutableArray<double> weights)
    {
        var problem = checkpoints.Count < 2 ? $"An average needs at least two checkpoints, and there {(checkpoints.Count == 1 ? $"is only '{checkpoints[0].Path}'" : "are none")}. For several steps of a training run, use Read-LlamaCheckpoint with -Step or -AllSteps."
            : weights.Length != checkpoints.Count ? $"There {(weights.Length == 1 ? "is" : "are")} {Quantity.Of(weights.Length, "weight")} for {Quantity.Of(checkpoints.Count, "checkpoint")}. Give one weight for each, in their order."
            : !weights.All(weight => float.IsFinite((float)weight)) || !float.IsFinite((float)weights.Sum()) || (float)weights.Sum() == 0 ? "The weights of an average have to be finite numbers in float32, and their sum must not be 0, because it divides the sum of the tensors."
            : null;

        if (problem is not null)
        {
            throw new CheckpointException(CheckpointErrorCode.MergeMismatch, problem);
        }
    }

    private static void RequireSame(MergedModel[] models)
    {
        var (first, others) = (models[0], models[1..]);

        CheckpointException.ThrowIfAny(
            others.SelectMany(first.FindDifferences), $"'{first.Checkpoint.Path}' can't be averaged with {(others.Length == 1 ? $"'{others[0].Checkpoint.Path}'" : "the others")}", "Only checkpoints with the same tensors can be averaged. To merge a LoRA, use Merge-LlamaLora.");

        CheckpointException.ThrowIfAny(
            from model in models
            from tensor in model.Tensors
            let problem = MergeTypes.Refuse(tensor)
            where problem is not null
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.UnsupportedTensor, problem, tensor.Name),
            "There are tensors that can't be averaged",
            MergeTypes.Remedy);
    }

    /// <summary>Tensors that are one in each checkpoint, as a tied output and the embeddings are, stay one.</summary>
    private sealed class SameStorages : IEqualityComparer<ImmutableArray<CheckpointTensor>>
    {
        public bool Equals(ImmutableArray<CheckpointTensor> x, ImmutableArray<CheckpointTensor> y) => x.SequenceEqual(y, SharedStorage.Comparer);

        public int GetHashCode(ImmutableArray<CheckpointTensor> obj) => obj.Aggregate(0, (hash, tensor) => HashCode.Combine(hash, SharedStorage.Comparer.GetHashCode(tensor)));
    }
}
