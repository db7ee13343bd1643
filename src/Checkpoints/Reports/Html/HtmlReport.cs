namespace Fairseq2Llama.Reports.Html;

/// <summary>A report as a page.</summary>
internal static class HtmlReport
{
    public static string Write(CheckpointReport report)
    {
        ReportSection[] sections =
        [
            new("findings", "Findings", FindingsSection.Of(report)),
            new("summary", "Summary", SummarySection.Of(ReportSummary.Of(report))),
            new("architecture", "Architecture", ArchitectureSection.Of(report)),
            new("weights", "Weights", WeightsSection.Of(report)),
            new("files", "Files", FilesSection.Of(report)),
            .. report.Measured is null ? Array.Empty<ReportSection>() : [new("statistics", "Statistics", StatisticsSection.Of(report))],
            new("tensors", "Tensors", TensorsSection.Of(report)),
        ];

        return ReportBody.Write("Checkpoint report", report.Checkpoint.Name, [report.Checkpoint.Path], sections);
    }
}
