namespace Fairseq2Llama.Attestation;

/// <summary>Compares the tensors of a manifest with others, by their hashes.</summary>
internal static class TensorMatches
{
    /// <param name="expected">The tensors of the manifest.</param>
    /// <param name="found">Those of another checkpoint, or of another manifest.</param>
    /// <param name="other">The name of that, for messages.</param>
    /// <returns>What differs.</returns>
    public static IEnumerable<CheckpointFinding> Find(IReadOnlyList<ManifestTensor> expected, IReadOnlyList<ManifestTensor> found, string other)
    {
        var byName = found.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var known = expected.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        ManifestTensor[] extra = [.. found.Where(tensor => !known.Contains(tensor.Name))];

        foreach (var tensor in expected)
        {
            if (!byName.TryGetValue(tensor.Name, out var its))
            {
                var renamed = Array.Find(extra, candidate => tensor.Shape.Equals(candidate.Shape) && HaveSame(tensor, candidate));
                yield return Error(tensor, renamed is null ? $"'{tensor.Name}' is not in '{other}'" : $"'{tensor.Name}' is called '{renamed.Name}' in '{other}'");
            }
            else if (!tensor.Shape.Equals(its.Shape))
            {
                yield return Error(tensor, $"'{tensor.Name}' is {tensor.Shape} in the manifest, and {its.Shape} in '{other}'");
            }
            else if (HaveSameType(tensor, its) && !HaveSame(tensor, its))
            {
                yield return Error(tensor, $"'{tensor.Name}' has other numbers in '{other}'");
            }
        }

        // Mostly all tensors are of another type, or none.
        foreach (var types in from tensor in expected
                              where byName.TryGetValue(tensor.Name, out var its) && tensor.Shape.Equals(its.Shape) && !HaveSameType(tensor, its)
                              group tensor by (Own: TypesOf(tensor), Other: TypesOf(byName[tensor.Name])))
        {
            var (subject, hashes) = types.Count() == 1
                ? ($"'{types.First().Name}' is", "its hash")
                : ($"{Quantity.Of(types.Count(), "tensor")}, such as '{types.First().Name}', are", "their hashes");

            yield return Error(types.First(), $"{subject} {types.Key.Own} in the manifest, and {types.Key.Other} in '{other}', so {hashes} can't be the same");
        }

        foreach (var tensor in extra.Where(tensor => !expected.Any(other => !byName.ContainsKey(other.Name) && other.Shape.Equals(tensor.Shape) && HaveSame(other, tensor))))
        {
            yield return Error(tensor, $"'{tensor.Name}' of '{other}' is not in the manifest");
        }
    }

    private static bool HaveSame(ManifestTensor tensor, ManifestTensor other) => VersionsOf(tensor).Intersect(VersionsOf(other)).Any();

    private static bool HaveSameType(ManifestTensor tensor, ManifestTensor other) =>
        VersionsOf(tensor).Select(version => version.DType).Intersect(VersionsOf(other).Select(version => version.DType)).Any();

    private static string TypesOf(ManifestTensor tensor) => string.Join(" or ", VersionsOf(tensor).Select(version => version.DType.GetTorchName()).Distinct());

    /// <summary>As it is and, where it was cast, as it was.</summary>
    private static IEnumerable<(DType DType, string Sha256)> VersionsOf(ManifestTensor tensor) =>
        tensor.Source is { } source ? [(tensor.DType, tensor.Sha256), (source.DType, source.Sha256)] : [(tensor.DType, tensor.Sha256)];

    private static CheckpointFinding Error(ManifestTensor tensor, string message) => new(FindingSeverity.Error, CheckpointErrorCode.ManifestMismatch, message, tensor.Name);
}
