using Fairseq2Llama.Benchmark;
using Fairseq2Llama.Benchmark.Contestants;

namespace Fairseq2Llama.Tests.Benchmark;

public sealed class ReportTests
{
    private static readonly Measurement Idle = Measure(ContestantNames.Start, 90_000_000, 0.25);

    private static readonly Results Known = new()
    {
        Machine = [("processor", "a known one, 2 cores"), ("file system", "xfs, shares blocks")],
        Rounds = 3,
        Checkpoint = "a tiny model",
        Measurements =
        [
            Measure(ContestantNames.CopyNeverSharing, 2_000_000, 1.5, 2, 1) with { Space = new UsedSpace(1_000_000_000, 4_000_000_000) },
            Measure(ContestantNames.ExportProcess, 150_060_000, 3, 1.65, 1.5) with { Space = new UsedSpace(1_000_000_000, 999_999_999) },
            Measure(ContestantNames.ExportSession, null, 0.03, 0.01),
            Measure(ContestantNames.TorchDefault, 3_000_000_000, 33),
            Idle,
            Measure(ContestantNames.Import, 96_000_000, 0.5),
        ],
    };

    [Theory]
    [InlineData("- processor: a known one, 2 cores")]
    [InlineData("## a tiny model")]
    [InlineData("| what | median, s | min, s | max, s | of cp --reflink=never | peak memory | above idle |")]
    [InlineData("| cp --reflink=never | 1.500 | 1.000 | 2.000 | 1.00x | 2.0 MB | |")]
    [InlineData("| export, whole process | 1.650 | 1.500 | 3.000 | 1.10x | 150.1 MB | 60.1 MB |")]
    [InlineData("| export, in a running session | 0.020 | 0.010 | 0.030 | 0.013x | ? | |")]
    [InlineData("| PyTorch, whole process | 33.000 | 33.000 | 33.000 | 22.00x | 3.00 GB | 2.91 GB |")]
    public void Shows_medians_their_range_ratios_and_memory(string line) => Assert.Contains(line, LinesOf(Known));

    [Theory]
    [InlineData("| export, whole process, of cp --reflink=never | at most 1.20x | 1.10x | yes |")]
    [InlineData("| export, in a running session, of cp --reflink=never | at most 1.00x | 0.013x | yes |")]
    [InlineData("| export, whole process, faster than PyTorch, whole process | at least 15.00x | 20.00x | yes |")]
    [InlineData("| peak memory of an export, above idle PowerShell | at most 100.0 MB | 60.1 MB | yes |")]
    [InlineData("| Import-Module adds | under 0.2 s | 0.250 s | no |")]
    public void Holds_them_against_the_targets(string line) => Assert.Contains(line, LinesOf(Known));

    [Fact]
    public void Leaves_out_targets_of_what_was_not_measured() =>
        Assert.DoesNotContain(LinesOf(Known), line => line.Contains("mmap", StringComparison.Ordinal) || line.Contains("merge", StringComparison.Ordinal));

    [Theory]
    [InlineData("| cp --reflink=never | 1.00 GB | 4.00 GB | 3.00 GB |")]
    [InlineData("| export, whole process | 1.00 GB | 1000.0 MB | 0.0 MB |")]
    public void Shows_the_space_that_outputs_take(string line) => Assert.Contains(line, LinesOf(Known));

    [Fact]
    public void Shows_how_times_grow_with_sizes_and_numbers_of_tensors()
    {
        var lines = LinesOf(Known with
        {
            Sizes = [new SizeResult(2_000_000_000, Measure("cp", null, 1), Measure("export", 200_000_000, 1.5), Measure("session", null, 0.5))],
            TensorCounts = [new TensorCountResult(20_001, 298_100_000, Measure("first", null, 0.4), Measure("read", null, 0.2), Measure("export", 250_000_000, 1))],
        });

        Assert.Contains("| 2.00 GB | 1.000 | 1.500 | 1.50x | 0.500 | 0.50x | 0.250 | 200.0 MB |", lines);
        Assert.Contains("| 20,001 | 298.1 MB | 0.400 | 0.200 | 9 | 1.000 | 49 | 250.0 MB |", lines);
        Assert.Contains("| peak memory of an export of 2.00 GB, above idle PowerShell | at most 100.0 MB | 110.0 MB | no |", lines);
        Assert.Contains("| index of 20,001 tensors, first thing in a session | under 0.5 s | 0.400 s | yes |", lines);
    }

    /// <summary>Without what only puts the columns below each other.</summary>
    private static string[] LinesOf(Results results) =>
        [.. Report.Render(results).Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    private static Measurement Measure(string name, long? peakBytes, params double[] seconds) =>
        new(name, [.. seconds.Select(second => new Sample(second, peakBytes))]);
}
