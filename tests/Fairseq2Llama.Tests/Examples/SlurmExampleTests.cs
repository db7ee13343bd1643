using System.Diagnostics;
using System.Text.RegularExpressions;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The example for Slurm, submitted to a real one.</summary>
[External]
public sealed partial class SlurmExampleTests(Slurm slurm) : IClassFixture<Slurm>, IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly Worker _worker = new();

    public void Dispose() => _worker.Dispose();

    [Fact]
    public void The_array_and_the_last_step_make_one_export()
    {
        var (array, last) = Submit();
        AwaitEnd(array, last);

        Assert.Equal(["COMPLETED", "COMPLETED"], StatesOf(array));
        Assert.Equal(["COMPLETED"], StatesOf(last));
        Assert.Contains("consolidated.01.pth", LogOf($"{array}_1"), StringComparison.Ordinal);
        Assert.Contains("2 layers", LogOf(last), StringComparison.Ordinal);
        AssertComplete();
    }

    [Fact]
    public void A_task_that_is_killed_runs_again()
    {
        _worker.WritePowerShell("""
            if [ "$SLURM_ARRAY_TASK_ID:$SLURM_RESTART_COUNT" = 1: ]; then
                echo > started
                exec sleep 600
            fi
            """);

        var (array, last) = Submit();
        Await(() => File.Exists(_worker["started"]), "the task");
        Run("scontrol", "requeue", $"{array}_1");
        AwaitEnd(array, last);

        Assert.Equal(["0", "1"], PropertiesOf(array, "Restarts").Order(StringComparer.Ordinal));
        Assert.Equal(["COMPLETED"], StatesOf(last));
        AssertComplete();
    }

    [Fact]
    public void A_task_that_fails_cancels_the_last_step_and_is_submitted_again()
    {
        var foreign = Path.Combine(Directory.CreateDirectory(_worker["out"]).FullName, "consolidated.01.pth");
        File.WriteAllText(foreign, "of somebody else");

        var (array, last) = Submit();
        AwaitEnd(array, last);

        Assert.Equal(["COMPLETED", "FAILED"], StatesOf(array).Order(StringComparer.Ordinal));
        Assert.Equal(["CANCELLED"], StatesOf(last));
        Assert.Contains("already holds", LogOf($"{array}_1"), StringComparison.Ordinal);

        File.Delete(foreign);
        (array, last) = Submit();
        AwaitEnd(array, last);

        Assert.Equal(["COMPLETED"], StatesOf(last));
        Assert.EndsWith("True", LogOf($"{array}_0"), StringComparison.Ordinal);
        Assert.EndsWith("False", LogOf($"{array}_1"), StringComparison.Ordinal);
        AssertComplete();
    }

    private (string Array, string Last) Submit() =>
        Run(Path.Combine(Repository.Root, "examples", "slurm", "submit.sh"), "run", "out", "2").Split(' ') is [var array, var last]
            ? (array, last)
            : throw new InvalidOperationException("submit.sh does not print two ids");

    private string Run(params string[] command) => _worker.RunSuccessfully(command, slurm.Variable);

    private void AwaitEnd(params string[] jobs) =>
        Await(() => Run("squeue", "--noheader", $"--jobs={string.Join(',', jobs)}").Length == 0, "Slurm");

    private static void Await(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();

        while (!condition())
        {
            Assert.True(watch.Elapsed < Hang, $"{what} hangs");
            Thread.Sleep(Pause);
        }
    }

    private IEnumerable<string> StatesOf(string job) => PropertiesOf(job, "JobState");

    /// <summary>A property of a job, or of each task of an array.</summary>
    private IEnumerable<string> PropertiesOf(string job, string name) =>
        from line in Run("scontrol", "--oneliner", "show", "job", job).Split('\n')
        select Property().Matches(line).Single(match => match.Groups["name"].Value == name).Groups["value"].Value;

    private string LogOf(string job) => File.ReadAllText(_worker[$"llama-export-{job}.log"]).TrimEnd();

    private void AssertComplete() => _worker.AssertEqualsWholeExport("out", new ReferenceExportOptions { ShardCount = 2 });

    [GeneratedRegex(@"(?<=^| )(?<name>\w+)=(?<value>\S*)")]
    private static partial Regex Property();
}
