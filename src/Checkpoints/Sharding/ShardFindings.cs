namespace Fairseq2Llama.Sharding;

/// <summary>Makes the findings about shards that do not fit each other.</summary>
internal static class ShardFindings
{
    public static CheckpointFinding Mismatch(string message, string? tensor, string? file) =>
        new(FindingSeverity.Error, CheckpointErrorCode.ShardMismatch, message, tensor, file);

    public static CheckpointFinding Differ(PartialTensor tensor, PartialTensor other) =>
        Mismatch($"'{tensor.Name.Name}' is {tensor.Describe()} and {other.Describe()}", tensor.Name.Name, tensor.File);

    public static CheckpointFinding TooLarge(PartialTensor tensor) =>
        Mismatch($"'{tensor.Name.Name}' has more elements than 64 bits can count when its shards are put together", tensor.Name.Name, tensor.File);
}
