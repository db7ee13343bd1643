using System.Collections.Immutable;
using Fairseq2Llama.Reports;
using Fairseq2Llama.Reports.Html;
using Fairseq2Llama.Reports.Markdown;

namespace Fairseq2Llama;

/// <summary>What there is to tell of a checkpoint, gathered once, to be written in several formats.</summary>
public sealed class CheckpointReport
{
    private CheckpointReport(LlamaCheckpoint checkpoint, CheckpointTestResult test, WeightMeasurement? measurement)
    {
        var tensors = checkpoint.Tensors;

        Checkpoint = checkpoint;
        Architecture = test.Architecture;
        ArchitectureOrigin = test.Choice is { File: { } file } ? $"according to {file.Name}" : test.Choice?.Origin;
        Findings =
        [
            .. test.Findings.Concat(measurement?.Findings ?? [])
                .OrderByDescending(finding => finding.Code == CheckpointErrorCode.NonFiniteNumbers)
                .ThenByDescending(finding => finding.Severity),
        ];
        Weights = WeightSum.Of(tensors);
        Settings = SettingTable.Of(tensors, test.Architecture);
        Files = ReportedFile.AllOf(checkpoint);
        Layers = ReportedLayer.AllOf(tensors);
        Outside = ReportedPart.Of("Outside of the layers", [.. tensors.Where(tensor => tensor.Layer is null)]);
        ByLayer = [.. LayerRun.AllOf(Layers).Select(run => run.Each with { Name = run.Name }), Outside];
        Kinds =
        [
            .. from tensor in tensors
               group tensor by KindNames.KindOf(tensor) into kind
               orderby kind.Key
               select ReportedPart.Of(KindNames.Of(kind.Key), [.. kind]),
        ];
        DTypes =
        [
            .. from tensor in tensors
               group tensor by tensor.DType into dtype
               let part = ReportedPart.Of(Display.Name(dtype.Key), [.. dtype])
               orderby part.Weights.Bytes descending
               select part,
        ];
        Measured = measurement?.Tensors;
    }

    /// <summary>The checkpoint that it is about.</summary>
    public LlamaCheckpoint Checkpoint { get; }

    /// <summary>The architecture that it was held against; null when nobody names one and the shapes leave none.</summary>
    public LlamaArchitecture? Architecture { get; }

    /// <summary>Everything noteworthy: NaN and Inf first, then the most serious.</summary>
    public ImmutableArray<CheckpointFinding> Findings { get; }

    /// <summary>Who says that this is the architecture; null where there is none.</summary>
    internal string? ArchitectureOrigin { get; }

    /// <summary>All tensors; tied ones count once.</summary>
    internal WeightSum Weights { get; }

    /// <summary>The numbers of the architecture.</summary>
    internal ImmutableArray<ReportedSetting> Settings { get; }

    /// <summary>The files.</summary>
    internal ImmutableArray<ReportedFile> Files { get; }

    /// <summary>The layers that there are, in order.</summary>
    internal ImmutableArray<ReportedLayer> Layers { get; }

    /// <summary>What belongs to no layer.</summary>
    internal ReportedPart Outside { get; }

    /// <summary>All of the model: its layers, neighbours that are alike together, and what is outside of them.</summary>
    internal ImmutableArray<ReportedPart> ByLayer { get; }

    /// <summary>The kinds of parameters that there are.</summary>
    internal ImmutableArray<ReportedPart> Kinds { get; }

    /// <summary>The element types that there are, that with the most bytes first.</summary>
    internal ImmutableArray<ReportedPart> DTypes { get; }

    /// <summary>What the weights are like, where that was asked for.</summary>
    internal ImmutableArray<(CheckpointTensor Tensor, TensorStatistics Statistics)>? Measured { get; }

    /// <summary>Gathers what there is to tell.</summary>
    /// <param name="checkpoint">A checkpoint of any format.</param>
    /// <param name="options">What the report shall hold.</param>
    /// <param name="progress">Told how far reading the data is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">The index can't be read, or is not what is in the files.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static CheckpointReport Gather(
        LlamaCheckpoint checkpoint,
        CheckpointReportOptions options,
        IProgress<ByteProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        checkpoint.Locate(checkpoint.Tensors, cancellationToken);
        var test = CheckpointTest.RunOnIndex(checkpoint, options.Architecture);
        var measurement = options.Statistics ? WeightMeasurement.Of(checkpoint, progress, cancellationToken) : null;
        cancellationToken.ThrowIfCancellationRequested();

        return new CheckpointReport(checkpoint, test, measurement);
    }

    /// <summary>All of the report as text. The same checkpoint gives the same text.</summary>
    /// <param name="format">How it is written.</param>
    public string ToText(ReportFormat format) => format switch
    {
        ReportFormat.Html => HtmlReport.Write(this),
        ReportFormat.Markdown => MarkdownReport.Write(this),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };
}
