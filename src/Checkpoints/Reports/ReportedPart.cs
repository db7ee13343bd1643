using System.Collections.Immutable;

namespace Fairseq2Llama.Reports;

/// <summary>A part of a model.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Weights">How much it is.</param>
/// <param name="DTypes">The element types that occur in it, the most frequent first.</param>
internal sealed record ReportedPart(string Name, WeightSum Weights, ImmutableArray<DType> DTypes)
{
    public static ReportedPart Of(string name, IReadOnlyCollection<CheckpointTensor> tensors) =>
        new(name, WeightSum.Of(tensors), LlamaCheckpoint.DTypesOf(tensors));
}
