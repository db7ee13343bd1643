namespace Fairseq2Llama.Testing;

/// <summary>The finding about NaN and Inf in weights, for every command that counts them.</summary>
internal static class NonFiniteFinding
{
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="dtype">Its element type.</param>
    /// <param name="count">How many elements were looked at.</param>
    /// <param name="nan">How many of them are NaN.</param>
    /// <param name="inf">How many are infinite.</param>
    /// <param name="file">The file that they lie in, where only that was looked at.</param>
    /// <returns>
    /// Null where all are finite. NaN makes everything NaN that the model computes, so it is an error; an Inf can be meant, as in a mask.
    /// </returns>
    public static CheckpointFinding? Of(string tensor, DType dtype, long count, long nan, long inf, string? file = null) =>
        nan + inf == 0 ? null : new CheckpointFinding(
            nan > 0 ? FindingSeverity.Error : FindingSeverity.Warning,
            CheckpointErrorCode.NonFiniteNumbers,
            $"'{tensor}' contains {string.Join(" and ", Name(nan, "NaN").Concat(Name(inf, "Inf")))} among {count} {dtype.GetTorchName()} numbers{(file is null ? "" : $" in '{file}'")}",
            tensor,
            file);

    private static IEnumerable<string> Name(long count, string what) => count == 0 ? [] : [$"{count} {what}"];
}
