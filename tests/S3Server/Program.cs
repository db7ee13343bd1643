using System.Globalization;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>
/// The entry point of a server in a process of its own. It prints its address, then carries out what it reads, a line each, and answers each with a
/// line. It ends when its input does, so that it does not outlive the process that started it.
/// </summary>
internal static class Program
{
    private static void Main()
    {
        using var server = new S3Server();
        Console.WriteLine(server.Address);

        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(Perform(server, line.Split(' ', 3)));
        }
    }

    private static string Perform(S3Server server, string[] words)
    {
        switch (words)
        {
            case ["latency", var milliseconds]:
                server.Latency = TimeSpan.FromMilliseconds(double.Parse(milliseconds, CultureInfo.InvariantCulture));
                break;

            // The folder's name may have spaces.
            case ["put", var prefix, var folder]:
                server.Bucket("bucket").PutFolder(folder, prefix);
                break;

            case ["remove", var prefix]:
                server.Bucket("bucket").Remove(prefix);
                GC.Collect();
                break;

            // For a client that is not the test's own.
            case ["access"]:
                return $"{S3Server.AccessKey} {S3Server.Secret}";

            // Of all requests since it was last asked.
            case ["count"]:
                var calls = server.TakeCalls();
                return string.Create(CultureInfo.InvariantCulture, $"{calls.Count} {calls.Sum(call => call.Received)} {calls.Sum(call => call.Sent)}");

            default:
                return $"unknown: {string.Join(' ', words)}";
        }

        return "done";
    }
}
