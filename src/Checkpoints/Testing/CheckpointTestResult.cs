using System.Collections.Immutable;
using Fairseq2Llama.Conversion;

namespace Fairseq2Llama;

/// <summary>The result of a test of a checkpoint.</summary>
/// <param name="Name">The checkpoint's name.</param>
/// <param name="Path">The checkpoint's path.</param>
/// <param name="Architecture">The architecture that it was compared with; null if the user names none and the shapes fit none.</param>
/// <param name="Findings">Everything noteworthy.</param>
public sealed record CheckpointTestResult(
    string Name, string Path, LlamaArchitecture? Architecture, ImmutableArray<CheckpointFinding> Findings)
{
    /// <summary>Whether nothing found is an error.</summary>
    public bool Passed => Findings.All(finding => finding.Severity != FindingSeverity.Error);

    /// <summary>How many of the findings are errors.</summary>
    public int Errors => Findings.Count(finding => finding.Severity == FindingSeverity.Error);

    /// <summary>How many of the findings are warnings.</summary>
    public int Warnings => Findings.Count(finding => finding.Severity == FindingSeverity.Warning);

    /// <summary>Whether the data of all tensors was read, too. Otherwise damaged data and NaN go unnoticed.</summary>
    public bool Deep { get; init; }

    /// <summary>Where the architecture comes from; null if there is none.</summary>
    internal ArchitectureChoice? Choice { get; init; }
}
