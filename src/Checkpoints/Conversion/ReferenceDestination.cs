using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Fairseq2Llama;

/// <summary>What the folder that an export will write into holds already.</summary>
/// <param name="Replaced">Names of files that will be replaced.</param>
/// <param name="Stale">Names of shards of an earlier export that would be loaded as part of the new one.</param>
/// <param name="Warnings">What may surprise.</param>
internal sealed partial record ReferenceDestination(
    ImmutableArray<string> Replaced, ImmutableArray<string> Stale, ImmutableArray<string> Warnings)
{
    /// <exception cref="CheckpointException">It holds what may not be replaced, or there is not enough room.</exception>
    public static ReferenceDestination Inspect(string path, IReadOnlyList<PlannedFile> files, bool force)
    {
        if (File.Exists(path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists, $"'{path}' is a file. Give the folder that the exported files shall lie in.", path);
        }

        DiskSpace.Require(path, files);

        var present = Directory.Exists(path) ? ListFiles(path) : [];
        var planned = files.Select(file => file.Name).ToArray();
        var replaced = planned.Intersect(present, StringComparer.OrdinalIgnoreCase).ToArray();
        var stale = present.Where(name => ShardPattern().IsMatch(name)).Except(planned, StringComparer.OrdinalIgnoreCase).ToArray();

        if (!force && (replaced.Length > 0 || stale.Length > 0))
        {
            throw new CheckpointException(
                CheckpointErrorCode.OutputExists,
                $"'{path}' already holds {string.Join(", ", replaced.Concat(stale))}. Choose another folder, or replace them with -Force.",
                path);
        }

        var strays = present.Where(name => name.EndsWith(".pth", StringComparison.OrdinalIgnoreCase)).Except(replaced).Except(stale);

        return new ReferenceDestination(
            [.. replaced],
            [.. stale],
            [.. strays.Select(name => $"'{Path.Combine(path, name)}' stays where it is; readers that load every *.pth of a folder will stumble over it.")]);
    }

    private static string[] ListFiles(string path)
    {
        try
        {
            return [.. Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WriteErrors.Translate(e, path);
        }
    }

    [GeneratedRegex(@"^consolidated\.[0-9]+\.pth$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ShardPattern();
}
