using System.Collections.Immutable;
using Fairseq2Llama.Conversion;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama;

/// <summary>Looks for whatever would keep a checkpoint from being exported, or surprise afterwards.</summary>
public static class CheckpointTest
{
    /// <summary>Tests a checkpoint by its index; no tensor data is read.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="architecture">The architecture that it should have; null to conclude it from the shapes.</param>
    public static CheckpointTestResult Run(Fairseq2Checkpoint checkpoint, LlamaArchitecture? architecture = null)
    {
        var findings = new List<CheckpointFinding>();

        findings.AddRange(
            from file in checkpoint.FilesWithInvalidPickleChecksum
            let mismatch = ChecksumMismatch.Of(file, "data.pkl")
            select new CheckpointFinding(FindingSeverity.Error, mismatch.Code, mismatch.Message, File: file));

        try
        {
            architecture ??= ArchitectureInference.Infer(checkpoint.Tensors, ParamsLayout.Nested, checkpoint.Path);
            architecture.Validate();
            findings.AddRange(ArchitectureCheck.Run(checkpoint.Tensors, architecture));
        }
        catch (CheckpointException e)
        {
            findings.Add(new CheckpointFinding(FindingSeverity.Error, e.Code, e.Message));
            findings.AddRange(ArchitectureCheck.FindUnmapped(checkpoint.Tensors));
        }

        findings.AddRange(
            from file in checkpoint.FilesWithoutChecksums
            select new CheckpointFinding(
                FindingSeverity.Warning,
                CheckpointErrorCode.CheckpointCorrupt,
                $"'{file}' was saved without checksums, so damage to it can't be noticed",
                File: file));

        findings.AddRange(
            from key in checkpoint.NonTensors
            select new CheckpointFinding(
                FindingSeverity.Warning,
                CheckpointErrorCode.UnsupportedTensor,
                $"'{key}' in the state dict is not a tensor; an export leaves it out"));

        return new CheckpointTestResult(checkpoint.Name, checkpoint.Path, architecture, [.. findings]);
    }
}

/// <summary>What a test of a checkpoint found.</summary>
/// <param name="Name">The checkpoint's name.</param>
/// <param name="Path">The checkpoint's path.</param>
/// <param name="Architecture">The architecture that it was held against; null when none was named and the shapes leave none.</param>
/// <param name="Findings">Everything noteworthy.</param>
public sealed record CheckpointTestResult(
    string Name, string Path, LlamaArchitecture? Architecture, ImmutableArray<CheckpointFinding> Findings)
{
    /// <summary>Whether nothing found is an error.</summary>
    public bool Passed => Findings.All(finding => finding.Severity != FindingSeverity.Error);
}
