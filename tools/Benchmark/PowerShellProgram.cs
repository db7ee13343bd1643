namespace Fairseq2Llama.Benchmark;

/// <summary>The PowerShell that the tool manifest names, so that figures of two machines are of one version.</summary>
internal static class PowerShellProgram
{
    /// <summary>What it is, and on which .NET it runs.</summary>
    public static string Description { get; } = "pwsh " + ChildProcess.Ask(
        [.. Program, "-Command", "\"$($PSVersionTable.PSVersion) on .NET $([System.Environment]::Version)\""]);

    private static string[] Program => ["dotnet", Repository.PowerShell, "-NoProfile"];

    /// <summary>How a script is run with it.</summary>
    public static IReadOnlyList<string> CommandFor(string script, params ReadOnlySpan<string> arguments) =>
        [.. Program, "-File", script, .. arguments];
}
