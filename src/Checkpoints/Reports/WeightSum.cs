namespace Fairseq2Llama.Reports;

/// <summary>How much some tensors are together.</summary>
/// <param name="Tensors">How many there are.</param>
/// <param name="Parameters">Elements; those that share their storage count once.</param>
/// <param name="Bytes">Bytes of these.</param>
internal readonly record struct WeightSum(int Tensors, long Parameters, long Bytes)
{
    public static WeightSum Of(IEnumerable<CheckpointTensor> tensors) => tensors.Aggregate(
        default(WeightSum),
        (sum, tensor) => tensor.IsRepeat
            ? sum with { Tensors = sum.Tensors + 1 }
            : new(sum.Tensors + 1, sum.Parameters + tensor.ElementCount, sum.Bytes + tensor.SizeInBytes));

    public static WeightSum Of(IReadOnlyCollection<TensorShard> shards) => shards.Select(shard => shard.Tensor).Distinct().Aggregate(
        new WeightSum(shards.Count, 0, 0),
        (sum, tensor) => sum with { Parameters = sum.Parameters + tensor.Shape.ElementCount, Bytes = sum.Bytes + tensor.SizeInBytes });
}
