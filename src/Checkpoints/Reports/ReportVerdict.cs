using Fairseq2Llama.Formats;

namespace Fairseq2Llama.Reports;

/// <summary>Says in words what a report found, and where it looked.</summary>
internal static class ReportVerdict
{
    /// <summary>What needs attention, the worst first: <c>NaN in 2 of 48 tensors. 2 errors, 1 warning.</c></summary>
    public static string Of(CheckpointReport report)
    {
        var counts = report.Findings.IsEmpty ? "Nothing found" : string.Join(
            ", ",
            from finding in report.Findings
            group finding by finding.Severity into severity
            orderby severity.Key descending
            select Quantity.Of(severity.Count(), severity.Key == FindingSeverity.Information ? "note" : severity.Key.ToString().ToLowerInvariant()));

        return $"{NonFinite(report)}{counts}{Exportable(report)}.";
    }

    /// <summary>What was checked and what was not, so that nobody takes silence for more than it is.</summary>
    public static string ScopeOf(CheckpointReport report)
    {
        const string Checked = "The report checks names, shapes, element types and files";

        var hasChecksums = CheckpointFormats.Of(report.Checkpoint.Format).HasChecksums;
        var scope = report.Measured switch
        {
            null when hasChecksums => $"{Checked}, but neither numbers nor checksums, which takes -Statistics.",
            null => $"{Checked}, but not numbers, which takes -Statistics.",
            { } measured when hasChecksums => $"{Checked}, looks for NaN and Inf in {Numbers(measured.Length)}, and compares the checksums that the files have.",
            { } measured => $"{Checked}, and looks for NaN and Inf in {Numbers(measured.Length)}; files of this format have no checksums.",
        };

        return report.Checkpoint.Tensors.Any(tensor => tensor.Copies.Length > 1)
            ? $"{scope} It does not compare copies in several files, which takes Test-LlamaCheckpoint -Deep."
            : scope;

        string Numbers(int measured) => measured == report.Checkpoint.Tensors.Length
            ? "all numbers"
            : $"the numbers of {Display.Grouped(measured)} of {Quantity.Of(report.Checkpoint.Tensors.Length, "tensor")}";
    }

    private static string NonFinite(CheckpointReport report)
    {
        var statistics = (report.Measured ?? []).Select(item => item.Statistics).ToArray();
        var of = $"of {Quantity.Of(report.Checkpoint.Tensors.Length, "tensor")}. ";

        return (statistics.Count(tensor => tensor.NaN > 0), statistics.Count(tensor => tensor.Inf > 0)) switch
        {
            (0, 0) => "",
            (var nan, 0) => $"NaN in {Display.Grouped(nan)} {of}",
            (0, var inf) => $"Inf in {Display.Grouped(inf)} {of}",
            var (nan, inf) => $"NaN in {Display.Grouped(nan)} and Inf in {Display.Grouped(inf)} {of}",
        };
    }

    /// <summary>NaN keeps nobody from exporting, and a report that says so would recommend it.</summary>
    private static string Exportable(CheckpointReport report)
    {
        var errors = report.Findings.Where(finding => finding.Severity == FindingSeverity.Error).ToArray();

        return errors.Length == 0 ? "; the checkpoint can be exported"
            : errors.All(finding => finding.Code == CheckpointErrorCode.NonFiniteNumbers) ? ""
            : "; the checkpoint can't be exported as it is";
    }
}
