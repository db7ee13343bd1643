using Fairseq2Llama.Model;

namespace Fairseq2Llama.Reports;

/// <summary>What is wanted of a checkpoint at a glance.</summary>
internal static class ReportSummary
{
    public static IEnumerable<SummaryItem> Of(CheckpointReport report)
    {
        var checkpoint = report.Checkpoint;

        yield return report.Architecture is { } architecture
            ? new SummaryItem("Architecture", Display.Architecture(architecture), report.ArchitectureOrigin)
            : new SummaryItem("Architecture", "unknown");
        yield return new SummaryItem("Format", CheckpointLayoutText.FormatOf(checkpoint), CheckpointLayoutText.LayoutOf(checkpoint));

        if (checkpoint is Fairseq2Checkpoint { Step: { } step })
        {
            yield return new SummaryItem("Training step", Display.Grouped(step));
        }

        var once = SharedStorage.IsOutputTied(checkpoint.Tensors) ? ", tied ones once" : "";
        var (_, parameters, bytes) = report.Weights;
        yield return new SummaryItem("Parameters", Display.Count(parameters), Display.Grouped(parameters) + once);
        yield return new SummaryItem("Weights", Display.Size(bytes), $"{Display.Grouped(bytes)} bytes{once}");
        yield return new SummaryItem("Element types", Display.Name(checkpoint.DTypes) is { Length: > 0 } types ? types : "none");
        yield return new SummaryItem(
            "Tensors", Display.Grouped(checkpoint.Tensors.Length), $"in {Quantity.Of(report.Layers.Length, "layer")} and outside them");
        yield return checkpoint.MadeFrom.IsEmpty
            ? new SummaryItem("Files", Display.Size(checkpoint.SizeInBytes), Quantity.Of(report.Files.Length, "file"))
            : new SummaryItem("Made from", Display.Sources(checkpoint));
    }
}
