namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>The copying of a file by the operating system, which everything is compared with.</summary>
internal static class Copies
{
    /// <summary>The one to compare with, first; it moves every byte.</summary>
    public static IEnumerable<IContestant> Of(string file, Workspace workspace)
    {
        if (workspace.CanShare)
        {
            yield return new FreshProcess(ContestantNames.CopyNeverSharing, destination => ["cp", "--reflink=never", file, destination]);
            yield return new FreshProcess(ContestantNames.CopySharing, destination => ["cp", "--reflink=always", file, destination]);
        }
        else if (OperatingSystem.IsWindows())
        {
            yield return new FreshProcess(ContestantNames.Copy, destination => ["cmd", "/c", "copy", "/b", file, destination]);
        }
        else
        {
            yield return new FreshProcess(ContestantNames.Copy, destination => ["cp", file, destination]);
        }
    }

    /// <summary>What an average of three has to read and write.</summary>
    public static IEnumerable<IContestant> AfterReadingTwo(string file) => OperatingSystem.IsWindows() ? [] :
        [new FreshProcess(ContestantNames.ReadThree, destination => ["sh", "-c", "cat \"$0\" \"$0\" > /dev/null && cp \"$0\" \"$1\"", file, destination])];
}
