namespace ScriptHost;

/// <summary>The entry point: reads the command line, runs what it names, and turns the outcome into an exit code.</summary>
internal static class Program
{
    private const int Success = 0;
    private const int UsageError = 64; // EX_USAGE, which pwsh answers too

    private static int Main(string[] args)
    {
        if (args is ["-?" or "-h" or "--help"])
        {
            Console.Out.WriteLine(CommandLine.Usage);
            return Success;
        }

        // The engine reports module loads and the like to its vendor unless told not to before it starts.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");

        try
        {
            return ScriptRunner.Run(CommandLine.Parse(args));
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine(e.Message);
            Console.Error.WriteLine(CommandLine.Usage);
            return UsageError;
        }
    }
}
