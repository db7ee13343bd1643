using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>Puts what was measured with stores into words.</summary>
internal static class StoreReport
{
    private const double Goal = 0.9;

    public static string Render(StoreResults results) => new StringBuilder()
        .Append("# Benchmarks of stores\n\n")
        .Append("Written by `dotnet run --project tools/Benchmark --configuration Release -- --stores`, or `./build.ps1 -Task Bench --stores`.\n\n")
        .Append("The store is the [server of the tests](../tests/S3Server), which speaks the protocol of S3. It runs **on the same machine**, in a process of its own, and keeps\n")
        .Append("everything in memory. So it takes part of the processor from what is measured, there is no encryption, and the network is faster than any other. Compare\n")
        .Append("figures only with each other. \"30 ms\" means that the server waits so long before it answers a request.\n\n")
        .AppendJoin("", results.Machine.Select(line => $"- {line.Name}: {line.Value}\n"))
        .Append($"\nThe times are medians of {Units.Count(results.Rounds)} rounds, after a warm-up round. In each round, all rows of all tables ran in turn.\n\n")
        .Append("## Reading an index\n\n")
        .Append($"Finding the checkpoint, and reading names, shapes and places of {Units.Count(results.Many.TensorCount)} tensors, as many as a 7B model has, in one file of {Units.Size(results.Many.SizeInBytes)}.\n")
        .Append("The process had talked to the server before.\n\n")
        .Append(IndexTable(results))
        .Append("\n## Reading all data\n\n")
        .Append($"One file of {Units.Size(results.Large.SizeInBytes)}, with tensors as large as those of a 7B model. \"Small tensors\" are the {Units.Count(results.Many.TensorCount)} of above, most of them of 2 to 6 MB.\n")
        .Append("What is timed is what `Test-LlamaCheckpoint -Deep` does when the index is known: it compares all bytes with their checksums, where the file has any, and looks for\n")
        .Append("NaN and Inf. A plain download gets as many bytes with the same client, also by 8 requests of 8 MB at once, and discards them. The share is how much of the speed of\n")
        .Append("the plain download is reached, as the median of the rounds.\n\n")
        .Append(DataTable(results))
        .Append("\n## Exporting from store to store\n\n")
        .Append("Reading a file of torch.save and exporting it to Meta's format, in a running PowerShell session for each row. From one service to another, all data passes through\n")
        .Append("the machine of the export. Inside a bucket, the store copies it. The server computes an MD5 of what it copies, which real stores need not do while somebody waits.\n\n")
        .Append(ExportTable(results))
        .ToString();

    private static MarkdownTable IndexTable(StoreResults results)
    {
        var table = new MarkdownTable("what", "median, s", "min, s", "max, s", "requests", "received");

        foreach (var (index, traffic) in results.Index)
        {
            table.Add(
                index.Name, Units.Seconds(index.Median), Units.Seconds(index.Min), Units.Seconds(index.Max), Units.Count(traffic.Requests), Units.Size(traffic.Sent));
        }

        return table;
    }

    private static MarkdownTable DataTable(StoreResults results)
    {
        var table = new MarkdownTable("what", "median, s", "min, s", "max, s", "MB/s", "requests", "share", "goal");

        foreach (var (plain, deep) in results.Data)
        {
            var size = plain.Traffic.Sent;
            Add(plain.Measurement, size, plain.Traffic, share: null);

            foreach (var (measurement, traffic) in deep)
            {
                Add(measurement, size, traffic, plain.Measurement.RatioTo(measurement));
            }
        }

        foreach (var local in results.Local)
        {
            Add(local, results.Large.SizeInBytes, traffic: null, share: null);
        }

        return table;

        void Add(Measurement measurement, long size, Traffic? traffic, double? share) => table.Add(
            measurement.Name,
            Units.Seconds(measurement.Median),
            Units.Seconds(measurement.Min),
            Units.Seconds(measurement.Max),
            Units.Count((long)(size / measurement.Median / 1e6)),
            traffic is { } asked ? Units.Count(asked.Requests) : "",
            share is { } part ? Percent(part) : "",
            share is null ? "" : share >= Goal ? "reached" : Percent(Goal));
    }

    private static MarkdownTable ExportTable(StoreResults results)
    {
        var table = new MarkdownTable("what", "median, s", "min, s", "max, s", "requests", "downloaded", "uploaded", "peak memory", "above idle");

        foreach (var (export, traffic) in results.Exports)
        {
            table.Add(
                export.Name,
                Units.Seconds(export.Median),
                Units.Seconds(export.Min),
                Units.Seconds(export.Max),
                Units.Count(traffic.Requests),
                Units.Size(traffic.Sent),
                Units.Size(traffic.Received),
                Units.Size(export.PeakBytes),
                Units.Size(export.PeakBytes - results.Idle.PeakBytes));
        }

        return table;
    }

    private static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);
}
