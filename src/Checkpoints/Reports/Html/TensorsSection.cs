namespace Fairseq2Llama.Reports.Html;

/// <summary>Every tensor.</summary>
internal static class TensorsSection
{
    public static IEnumerable<object?> Of(CheckpointReport report)
    {
        var isReference = report.Checkpoint.Format == CheckpointFormat.Reference;

        yield return Tag.Of(
            "details",
            Tag.Of("summary", $"All {Quantity.Of(report.Checkpoint.Tensors.Length, "tensor")}"),
            HtmlTable.Of(
                "every tensor",
                ["Name", isReference ? "Name in fairseq2" : "Reference name", "Type", "#Shape", "#Size"],
                report.Checkpoint.Tensors.Select(tensor => new object?[]
                {
                    Tag.Code(tensor.Name),
                    (isReference ? tensor.Fairseq2Name : tensor.ReferenceName) is { } other ? Tag.Code(other) : "–",
                    Display.Name(tensor.DType),
                    tensor.Shape.ToString(),
                    Display.Size(tensor.SizeInBytes),
                })));
    }
}
