namespace Fairseq2Llama.Reports;

/// <summary>How much some tensors are together.</summary>
/// <param name="Tensors">How many there are.</param>
/// <param name="Parameters">Elements.</param>
/// <param name="Bytes">Bytes of these.</param>
internal readonly record struct WeightSum(int Tensors, long Parameters, long Bytes)
{
    public static WeightSum Of(IEnumerable<CheckpointTensor> tensors) => tensors.Aggregate(
        default(WeightSum), (sum, tensor) => new(sum.Tensors + 1, sum.Parameters + tensor.ElementCount, sum.Bytes + tensor.SizeInBytes));

    public static WeightSum Of(IEnumerable<TensorShard> shards) => shards.DistinctBy(shard => shard.Tensor).Aggregate(
        default(WeightSum),
        (sum, shard) => new(sum.Tensors + 1, sum.Parameters + shard.Shape.ElementCount, sum.Bytes + shard.Tensor.SizeInBytes));
}
