using System.Text;
using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Benchmark;

/// <summary>Puts results into words, as Markdown that a console shows as well.</summary>
internal static class Report
{
    public static string Render(Results results)
    {
        var text = new StringBuilder();
        var torch = results.Find(ContestantNames.TorchDefault) is null ? "" : " PyTorch ran in two rounds, without a warm-up.";

        text.Append("# Benchmarks\n\n")
            .Append("Written by `dotnet run --project tools/Benchmark --configuration Release`, or `./build.ps1 -Task Bench`.\n\n")
            .AppendJoin("", results.Machine.Select(line => $"- {line.Name}: {line.Value}\n"))
            .Append($"\n## {results.Checkpoint}\n\n")
            .Append($"The times are medians of {Units.Count(results.Rounds)} rounds, after a warm-up round. In each round, all rows ran in turn.{torch}\n")
            .Append("Before each run, everything written so far was on the disk and the input was in memory. Peak memory is resident memory, including mapped files.\n\n")
            .Append(MeasurementTable(results))
            .Append("\n## Targets\n\n")
            .Append(TargetTable(results));

        if (results.Measurements.Any(measurement => measurement.Space is not null))
        {
            text.Append("\n## Space\n\n")
                .Append("The used space of the whole file system, measured in the warm-up round.\n\n")
                .Append(SpaceTable(results));
        }

        if (results.Sizes.Count > 0)
        {
            text.Append("\n## By size\n\n")
                .Append("The times are medians. Starting a process takes the same time at any size, so the seconds per GB are those in a session. The memory is that of the process.\n\n")
                .Append(SizeTable(results));
        }

        if (results.TensorCounts.Count > 0)
        {
            text.Append("\n## By number of tensors\n\n")
                .Append("Small tensors, in running sessions. \"first read\" is the first command of its session.\n\n")
                .Append(TensorCountTable(results));
        }

        return text.ToString();
    }

    private static MarkdownTable MeasurementTable(Results results)
    {
        var table = new MarkdownTable("what", "median, s", "min, s", "max, s", "of " + results.Copy.Name, "peak memory", "above idle");
        var idle = results.Find(ContestantNames.Start)?.PeakBytes;

        foreach (var measurement in results.Measurements)
        {
            table.Add(
                measurement.Name,
                Units.Seconds(measurement.Median),
                Units.Seconds(measurement.Min),
                Units.Seconds(measurement.Max),
                Units.Ratio(measurement.Median / results.Copy.Median),
                Units.Size(measurement.PeakBytes),
                measurement.PeakBytes - idle is >= 0 and var above ? Units.Size(above) : "");
        }

        return table;
    }

    private static MarkdownTable TargetTable(Results results)
    {
        var table = new MarkdownTable("target", "limit", "measured", "reached");

        foreach (var target in Targets.In(results))
        {
            table.Add(target.What, target.Limit, target.Actual, target.IsReached ? "yes" : "no");
        }

        return table;
    }

    private static MarkdownTable SpaceTable(Results results)
    {
        var table = new MarkdownTable("what", "used before", "used after", "grown by");

        foreach (var measurement in results.Measurements)
        {
            if (measurement.Space is { } space)
            {
                table.Add(measurement.Name, Units.Size(space.Before), Units.Size(space.After), Units.Size(space.After - space.Before));
            }
        }

        return table;
    }

    private static MarkdownTable SizeTable(Results results)
    {
        var table = new MarkdownTable("size", "cp, s", "whole process, s", "of cp", "in a session, s", "of cp", "s per GB", "peak memory");

        foreach (var size in results.Sizes)
        {
            table.Add(
                Units.Size(size.SizeInBytes),
                Units.Seconds(size.Copy.Median),
                Units.Seconds(size.Export.Median),
                Units.Ratio(size.Export.Median / size.Copy.Median),
                Units.Seconds(size.ExportInSession.Median),
                Units.Ratio(size.ExportInSession.Median / size.Copy.Median),
                Units.Seconds(size.ExportInSession.Median / size.SizeInBytes * 1e9),
                Units.Size(size.Export.PeakBytes));
        }

        return table;
    }

    private static MarkdownTable TensorCountTable(Results results)
    {
        var table = new MarkdownTable("tensors", "size", "first read, s", "read, s", "read, µs per tensor", "read and export, s", "µs per tensor", "peak memory");

        foreach (var count in results.TensorCounts)
        {
            table.Add(
                Units.Count(count.TensorCount),
                Units.Size(count.SizeInBytes),
                Units.Seconds(count.FirstRead.Median),
                Units.Seconds(count.Read.Median),
                PerTensor(count.Read),
                Units.Seconds(count.Export.Median),
                PerTensor(count.Export),
                Units.Size(count.Export.PeakBytes));

            string PerTensor(Measurement measurement) => Units.Count((long)(measurement.Median / count.TensorCount * 1e6));
        }

        return table;
    }
}
