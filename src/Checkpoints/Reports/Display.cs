using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Reports;

namespace Fairseq2Llama;

/// <summary>Numbers and types as people read them: in the module's views, in messages and reports.</summary>
public static class Display
{
    private const int MaxFiles = 8;
    private const int DigestLength = 12;

    private static readonly string[] SizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"];
    private static readonly string[] CountUnits = ["", "K", "M", "B", "T"];

    /// <summary>A name or path as it may be shown: without what a terminal or the agent of a pipeline would obey.</summary>
    public static string Text(string? text) => PrintableText.Of(text ?? "");

    /// <summary>
    /// Text in lines that are broken between words. PowerShell does so only for some languages, and for none where the culture is invariant, as on most
    /// agents of pipelines.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="width">The characters that a line may have; a longer word gets a line of its own.</param>
    public static string Wrap(string text, int width)
    {
        var lines = new StringBuilder();
        var length = 0;

        foreach (var word in text.Split(' '))
        {
            var breaks = length > 0 && length + 1 + word.Length > width;
            lines.Append(length == 0 ? "" : breaks ? "\n" : " ").Append(word);
            length = (length == 0 || breaks ? 0 : length + 1) + word.Length;
        }

        return lines.ToString();
    }

    /// <summary>Bytes with a binary unit: <c>2.79 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = Scale(bytes, 1024, SizeUnits);
        return string.Create(CultureInfo.InvariantCulture, $"{value} {unit}");
    }

    /// <summary>A count with the field's unit: <c>8.03B</c> for eight billion; nothing for none.</summary>
    public static string Count(long? count)
    {
        if (count is not { } number)
        {
            return "";
        }

        var (value, unit) = Scale(number, 1000, CountUnits);
        return value + unit;
    }

    /// <summary>A number of things: <c>1 file</c>, <c>1,200 files</c>.</summary>
    /// <param name="count">The number.</param>
    /// <param name="one">The word for one of them.</param>
    public static string Count(long count, string one) => Quantity.Of(count, one);

    /// <summary>Bytes with a binary unit, and exactly: <c>2.79 GiB (2,995,912,704 bytes)</c>.</summary>
    public static string ExactSize(long bytes) => bytes < 1024 ? Size(bytes) : $"{Size(bytes)} ({Grouped(bytes)} bytes)";

    /// <summary>A count with the field's unit, and exactly: <c>8.03B (8,030,261,248)</c>; nothing for none.</summary>
    public static string ExactCount(long? count) => count is >= 1000 and { } number ? $"{Count(number)} ({Grouped(number)})" : Count(count);

    /// <summary>
    /// The name of an architecture that is in the catalogue, <c>llama3_2_1b</c>; of another, whose name is only that of its folder, what
    /// tells it apart, <c>5 layers of 64</c>; nothing for none.
    /// </summary>
    public static string Architecture(LlamaArchitecture? architecture) =>
        architecture is null ? ""
        : ArchitectureMatcher.Like(architecture).Any(known => known.Name == architecture.Name) ? architecture.Name
        : string.Create(CultureInfo.InvariantCulture, $"{Quantity.Of(architecture.NumLayers, "layer")} of {architecture.ModelDim}");

    /// <summary>The files of a checkpoint, by their paths in its folder: <c>pp_00/tp_00/sdp_00.pt, …</c>; not more than a few.</summary>
    public static string Files(LlamaCheckpoint checkpoint)
    {
        var files = checkpoint.Files.Select(checkpoint.PathWithin).ToArray();

        return Text(files.Length <= MaxFiles
            ? string.Join(", ", files)
            : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", files.Take(MaxFiles))}, … ({files.Length} files)"));
    }

    /// <summary>What a checkpoint was merged from: <c>7b (base), style (adapter)</c>; <c>step_900 (weight 2), step_1000 (weight 1)</c>. Nothing if it is on a disk or in a store.</summary>
    public static string Sources(LlamaCheckpoint checkpoint) => Text(string.Join(
        ", ",
        checkpoint.MadeFrom.Select(source => source.Weight is { } weight
            ? string.Create(CultureInfo.InvariantCulture, $"{source.Name} (weight {weight:0.####})")
            : $"{source.Name} ({(source.Role == MergeRole.Adapter ? "adapter" : "base")})")));

    /// <summary>What the checkpoint of a tensor is called: the tensors of several can follow each other.</summary>
    public static string Checkpoint(CheckpointTensor tensor) => Text(tensor.Checkpoint);

    /// <summary>The same with the layer, if it is in one: <c>sft, layer 0</c>.</summary>
    public static string CheckpointAndLayer(CheckpointTensor tensor) => tensor.Layer is { } layer
        ? string.Create(CultureInfo.InvariantCulture, $"{Checkpoint(tensor)}, layer {layer}")
        : Checkpoint(tensor);

    /// <summary>Whether two checkpoints are equal, and why not: <c>45 of 47 tensors are not equal (44 different, 1 only in 7b).</c></summary>
    public static string Verdict(CheckpointComparisonSummary summary) => Text(ComparisonText.Verdict(summary));

    /// <summary>How many tensors of a layer are equal: <c>7 of 9</c>.</summary>
    public static string Equal(LayerComparison layer) => ComparisonText.EqualOf(layer);

    /// <summary>Lines that tell how far two checkpoints are from each other, and which layers moved, with bars; none where nothing did.</summary>
    public static ImmutableArray<string> Distances(CheckpointComparisonSummary summary) => [.. ComparisonText.Lines(summary)];

    /// <summary>The beginning of a hash in hexadecimal digits, long enough to compare it by eye: <c>9f86d081884c…</c>; nothing for none.</summary>
    public static string Digest(string? hash) => hash is null ? "" : hash.Length > DigestLength ? $"{hash[..DigestLength]}…" : hash;

    /// <summary>Bytes per second: <c>812.40 MiB/s</c>.</summary>
    public static string Rate(long bytes, TimeSpan time) => $"{Size(time > TimeSpan.Zero ? (long)(bytes / time.TotalSeconds) : 0)}/s";

    /// <summary>A whole number with separators: <c>1,235,814,400</c>.</summary>
    internal static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number with four significant digits, as far as it has them: <c>-0.02296</c>, <c>1.2e-05</c>; nothing for none.</summary>
    public static string Number(double? number) => number?.ToString("G4", CultureInfo.InvariantCulture).Replace('E', 'e') ?? "";

    /// <summary>A dtype as PyTorch calls it: <c>bfloat16</c>.</summary>
    public static string Name(DType dtype) => dtype.GetTorchName();

    /// <summary>Several dtypes: <c>bfloat16, float32</c>; nothing for null, which PowerShell makes of a property that can't be read.</summary>
    public static string Name(IEnumerable<DType>? dtypes) => string.Join(", ", (dtypes ?? []).Select(Name));

    private static (string Value, string Unit) Scale(long number, int step, string[] units)
    {
        double value = number;
        var unit = 0;

        // 999.995 would print as 1000.00.
        while (value >= step - 0.005 && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }

        return (value.ToString(unit == 0 ? "0" : "0.00", CultureInfo.InvariantCulture), units[unit]);
    }
}
