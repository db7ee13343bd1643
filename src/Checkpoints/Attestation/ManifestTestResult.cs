using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>The result of a test of a checkpoint against its manifest or its signature.</summary>
/// <param name="Name">The name of the checkpoint.</param>
/// <param name="Path">The path or address of the checkpoint.</param>
/// <param name="Findings">Everything that differs.</param>
public sealed record ManifestTestResult(string Name, string Path, ImmutableArray<CheckpointFinding> Findings)
{
    /// <summary>Whether nothing found is an error.</summary>
    public bool Passed => Findings.All(finding => finding.Severity != FindingSeverity.Error);

    /// <summary>How many of the findings are errors.</summary>
    public int Errors => Findings.Count(finding => finding.Severity == FindingSeverity.Error);

    /// <summary>How many of the findings are warnings.</summary>
    public int Warnings => Findings.Count(finding => finding.Severity == FindingSeverity.Warning);

    /// <summary>How many files were compared.</summary>
    public int Files { get; init; }

    /// <summary>How many tensors were compared with those of another checkpoint; 0 if none was named.</summary>
    public int Tensors { get; init; }

    /// <summary>The name of the other checkpoint; null if none was named.</summary>
    public string? Against { get; init; }

    /// <summary>Who signed the checkpoint: the owner of a certificate, or the fingerprint of a key. Null if no signature was verified.</summary>
    public string? SignedBy { get; init; }

    /// <summary>The manifest; null if there is only a signature.</summary>
    public CheckpointManifest? Manifest { get; init; }
}
