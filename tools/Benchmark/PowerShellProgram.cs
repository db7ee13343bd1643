namespace Fairseq2Llama.Benchmark;

/// <summary>The PowerShell that there is: pwsh, or the script host where it is not installed.</summary>
internal static class PowerShellProgram
{
    private const string VersionScript = "\"$($PSVersionTable.PSVersion) on .NET $([System.Environment]::Version)\"";

    private static readonly string? PwshVersion = ChildProcess.Ask("pwsh", "-NoProfile", "-Command", VersionScript);

    /// <summary>What it is, and on which .NET it runs.</summary>
    public static string Description { get; } = PwshVersion is not null
        ? "pwsh " + PwshVersion
        : "the script host with PowerShell " + ChildProcess.Ask(Repository.ScriptHost, "-Command", VersionScript);

    /// <summary>How a script is run with it.</summary>
    public static IReadOnlyList<string> CommandFor(string script, params ReadOnlySpan<string> arguments) =>
        PwshVersion is not null ? ["pwsh", "-NoProfile", "-File", script, .. arguments] : [Repository.ScriptHost, script, .. arguments];
}
