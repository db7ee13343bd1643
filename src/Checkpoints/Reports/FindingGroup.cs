using System.Collections.Immutable;

namespace Fairseq2Llama.Reports;

/// <summary>Findings of one kind, for which the same is to be done.</summary>
/// <param name="Severity">How bad they are.</param>
/// <param name="Code">Their stable name.</param>
/// <param name="RecommendedAction">What to do.</param>
/// <param name="Findings">The findings.</param>
internal sealed record FindingGroup(
    FindingSeverity Severity, CheckpointErrorCode Code, string RecommendedAction, ImmutableArray<CheckpointFinding> Findings)
{
    public static IEnumerable<FindingGroup> AllOf(IEnumerable<CheckpointFinding> findings) =>
        from finding in findings
        group finding by (finding.Severity, finding.Code, RecommendedAction: Reports.RecommendedAction.Of(finding)) into kind
        select new FindingGroup(kind.Key.Severity, kind.Key.Code, kind.Key.RecommendedAction, [.. kind]);
}
