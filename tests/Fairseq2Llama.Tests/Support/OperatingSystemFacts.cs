namespace Fairseq2Llama.Tests.Support;

/// <summary>What attributes of tests can ask.</summary>
public static class OperatingSystemFacts
{
    public static bool IsWindows { get; } = OperatingSystem.IsWindows();
}
