using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>Something that shall be so.</summary>
/// <param name="What">In words.</param>
/// <param name="Limit">How much it may or must be.</param>
/// <param name="Actual">How much it is.</param>
/// <param name="IsReached">Whether it is so.</param>
internal sealed record Target(string What, string Limit, string Actual, bool IsReached);

/// <summary>What the project promises, held against what was measured. What was not measured is left out.</summary>
internal static class Targets
{
    private const long MaxExtraBytes = 100_000_000;
    private const long MaxExtraBytesOfArithmetic = 60_000_000;

    /// <summary>That of LLaMA 3 has 128,256 tokens and 280,147 merges, whatever the size of the model.</summary>
    private const long MaxExtraBytesOfVocabulary = 150_000_000;

    private const int ManyTensors = 20_000;

    public static IEnumerable<Target> In(Results results)
    {
        var export = results.Find(ContestantNames.ExportProcess);
        var start = results.Find(ContestantNames.Start);

        Target?[] targets =
        [
            AtMost(export, results.Copy, 1.2),
            AtMost(results.Find(ContestantNames.ExportSession), results.Copy, 1.0),
            AtMost(results.Find(ContestantNames.HuggingFaceProcess), results.Copy, 1.3),
            AtMost(results.Find(ContestantNames.HuggingFaceSession), results.Copy, 1.3),
            AtMost(results.Find(ContestantNames.ManifestSession), results.Find(ContestantNames.ExportSession), 1.3),
            AddsAtMost(results.Find(ContestantNames.ManifestSession), results.Find(ContestantNames.ExportSession), results.Find(ContestantNames.Hashing)),
            AtMost(results.Find(ContestantNames.AverageSession), results.Find(ContestantNames.ReadThree), 1.0),
            AtMost(results.Find(ContestantNames.GgufSession), results.Find(ContestantNames.ExportSession), 1.1),
            AtMost(results.Find(ContestantNames.QuantizeSession), results.Find(ContestantNames.ExportSession), 2.0),
            FasterThan(results.Find(ContestantNames.TorchDefault), export, 15),
            FasterThan(results.Find(ContestantNames.TorchMapped), export, 4),
            AtMost(results.Find(ContestantNames.MergeProcess), results.Copy, 1.5),
            AtMost(results.Find(ContestantNames.SplitProcess), results.Copy, 1.5),
            AtMost(results.Find(ContestantNames.MeasureSession), results.Find(ContestantNames.DeepSession), 1.2),
            AtMost(results.Find(ContestantNames.CompareNumbersSession), results.Find(ContestantNames.CompareBitsSession), 1.2),
            AtMost(results.Find(ContestantNames.NarrowSession), results.Find(ContestantNames.ExportSession), 1.0),
            ExtraMemory("an export", export, start, MaxExtraBytes),
            ExtraMemory("an export with a manifest", results.Find(ContestantNames.ManifestSession), start, MaxExtraBytes),
            ExtraMemory("an average of three", results.Find(ContestantNames.AverageSession), start, MaxExtraBytes),
            ExtraMemory("an export to Hugging Face", results.Find(ContestantNames.HuggingFaceProcess), start, MaxExtraBytes),
            .. results.Sizes.Select(size => ExtraMemory($"an export of {Units.Size(size.SizeInBytes)}", size.Export, start, MaxExtraBytes)),
            ExtraMemory("an export to GGUF", results.Find(ContestantNames.GgufSession), start, MaxExtraBytesOfVocabulary),
            ExtraMemory("an export to GGUF in Q8_0", results.Find(ContestantNames.QuantizeSession), start, MaxExtraBytesOfVocabulary),
            ExtraMemory("measuring", results.Find(ContestantNames.MeasureSession), start, MaxExtraBytesOfArithmetic),
            ExtraMemory("comparing by numbers", results.Find(ContestantNames.CompareNumbersSession), start, MaxExtraBytesOfArithmetic),
            ExtraMemory("a cast", results.Find(ContestantNames.NarrowSession), start, MaxExtraBytesOfArithmetic),
            ImportTime(start, results.Find(ContestantNames.Import)),
            ReadTime(results.TensorCounts.FirstOrDefault(count => count.TensorCount >= ManyTensors)),
        ];

        return targets.OfType<Target>();
    }

    private static Target? AtMost(Measurement? measurement, Measurement? other, double limit)
    {
        if (measurement is null || other is null)
        {
            return null;
        }

        var ratio = measurement.Median / other.Median;
        return new Target($"{measurement.Name}, of {other.Name}", "at most " + Units.Ratio(limit), Units.Ratio(ratio), ratio <= limit);
    }

    private static Target? AddsAtMost(Measurement? measurement, Measurement? other, Measurement? limit)
    {
        if (measurement is null || other is null || limit is null)
        {
            return null;
        }

        var extra = measurement.Median - other.Median;
        return new Target($"{measurement.Name}, adds to {other.Name}", $"at most {Units.Seconds(limit.Median)} s, the time of {limit.Name}", Units.Seconds(extra) + " s", extra <= limit.Median);
    }

    private static Target? FasterThan(Measurement? other, Measurement? export, double limit)
    {
        if (other is null || export is null)
        {
            return null;
        }

        var ratio = other.Median / export.Median;
        return new Target($"{export.Name}, faster than {other.Name}", "at least " + Units.Ratio(limit), Units.Ratio(ratio), ratio >= limit);
    }

    private static Target? ExtraMemory(string what, Measurement? measurement, Measurement? idle, long limit) => measurement?.PeakBytes - idle?.PeakBytes is { } extra
        ? new Target($"peak memory of {what}, above idle PowerShell", "at most " + Units.Size(limit), Units.Size(extra), extra <= limit)
        : null;

    private static Target? ImportTime(Measurement? start, Measurement? import) => import?.Median - start?.Median is { } seconds
        ? new Target("Import-Module adds", "under 0.2 s", Units.Seconds(seconds) + " s", seconds < 0.2)
        : null;

    private static Target? ReadTime(TensorCountResult? result) => result is null
        ? null
        : new Target(
            $"index of {Units.Count(result.TensorCount)} tensors, first thing in a session", "under 0.5 s", Units.Seconds(result.FirstRead.Median) + " s", result.FirstRead.Median < 0.5);
}
