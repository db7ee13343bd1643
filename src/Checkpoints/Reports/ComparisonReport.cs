using System.Collections.Immutable;
using Fairseq2Llama.Reports.Html;
using Fairseq2Llama.Reports.Markdown;

namespace Fairseq2Llama;

/// <summary>A report about how two checkpoints compare, to be written in several formats.</summary>
public sealed class ComparisonReport
{
    private const int MaxFarthest = 20;

    /// <summary>Makes a report of what is known.</summary>
    /// <param name="summary">How the checkpoints compare. Which layers moved is told where distances were measured.</param>
    public ComparisonReport(CheckpointComparisonSummary summary)
    {
        Summary = summary;
        Moved = [.. summary.Tensors.Where(tensor => tensor.NormOfDifference > 0).OrderByDescending(SortKey)];
        Farthest = [.. Moved.Take(MaxFarthest)];
        Unmatched = [.. summary.Tensors.Where(tensor => tensor.Result is not (ComparisonResult.Equal or ComparisonResult.Different))];
    }

    /// <summary>How the checkpoints compare.</summary>
    public CheckpointComparisonSummary Summary { get; }

    /// <summary>The tensors of which numbers differ, those that moved most first.</summary>
    internal ImmutableArray<TensorComparison> Moved { get; }

    /// <summary>The first of them, as many as are looked at.</summary>
    internal ImmutableArray<TensorComparison> Farthest { get; }

    /// <summary>The tensors that only one has, or that differ in shape or type.</summary>
    internal ImmutableArray<TensorComparison> Unmatched { get; }

    /// <summary>All of the report as text. The same comparison gives the same text.</summary>
    /// <param name="format">How it is written.</param>
    public string ToText(ReportFormat format) => format switch
    {
        ReportFormat.Html => HtmlComparison.Write(this),
        ReportFormat.Markdown => MarkdownComparison.Write(this),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>What has no relative norm, although it moved, became NaN or came from nothing: whoever looks for what moved wants it first.</summary>
    private static double SortKey(TensorComparison tensor) => tensor.RelativeNorm ?? double.PositiveInfinity;
}
