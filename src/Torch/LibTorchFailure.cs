namespace Fairseq2Llama.Torch;

/// <summary>Says what was tried and what to do when libtorch can't be loaded.</summary>
internal static class LibTorchFailure
{
    /// <summary>The version of libstdc++'s symbols that came with GCC 13; TorchSharp's Linux binaries are built with it.</summary>
    private const string NeededSymbols = "GLIBCXX_3.4.32";

    public static CheckpointException Of(IEnumerable<string> attempts) => new(
        CheckpointErrorCode.LibTorchUnavailable,
        $"libtorch {LibTorchLocation.Version}, which does the arithmetic, can't be loaded: {string.Join("; ", attempts)}. Unpack the files in"
        + $" runtimes/{LibTorchLocation.RuntimeIdentifier}/native of the NuGet package {LibTorchLocation.Package} {LibTorchLocation.Version} into"
        + $" '{LibTorchLocation.ModuleFolder}', or name a folder that holds them in the environment variable {LibTorchLocation.Variable}."
        + " Whatever does no arithmetic works without it.",
        LibTorchLocation.Variable);

    /// <summary>What the loader said, in words that help, where it is a known case.</summary>
    public static string Explain(string message) => message.Contains(NeededSymbols, StringComparison.Ordinal)
        ? $"it needs libstdc++ of GCC 13 or newer ({NeededSymbols}), and this system's is older, as those of Debian 12, Ubuntu 22.04 and RHEL 9 are."
            + " Use a newer system or container (Debian 13, Ubuntu 24.04), or install a newer libstdc++6"
        : message.ReplaceLineEndings(" ").Trim().TrimEnd('.');
}
