using System.Runtime.InteropServices;

namespace Fairseq2Llama.Torch;

/// <summary>Says what was tried and what to do when libtorch can't be loaded.</summary>
internal static class LibTorchFailure
{
    /// <summary>The version of libstdc++'s symbols that came with GCC 13; TorchSharp's Linux binaries are built with it.</summary>
    private const string NeededSymbols = "GLIBCXX_3.4.32";

    public static CheckpointException Of(IReadOnlyCollection<string> attempts) => new(
        CheckpointErrorCode.LibTorchUnavailable,
        $"libtorch {LibTorchLocation.Version}, which TorchSharp tensors need, can't be loaded: {string.Join("; ", attempts)}. {RemedyFor(attempts)}"
        + (OperatingSystem.IsWindows() ? NeededRuntime : "")
        + " Only ConvertTo-TorchTensor, Merge-LlamaLora and New-CheckpointTensor with such tensors need it.",
        LibTorchLocation.Variable);

    /// <summary>Windows' loader names only the library that it was asked for, and not the one that is missing.</summary>
    private const string NeededRuntime = " On Windows, libtorch also needs the Microsoft Visual C++ Redistributable (https://aka.ms/vs/17/release/vc_redist.x64.exe).";

    /// <summary>The message of the loader, or a more helpful one for a known case.</summary>
    public static string Explain(string message) => message.Contains(NeededSymbols, StringComparison.Ordinal)
        ? $"it needs libstdc++ of GCC 13 or newer ({NeededSymbols}), but this system has an older one, like Debian 12, Ubuntu 22.04 and RHEL 9"
        : message.ReplaceLineEndings(" ").Trim().TrimEnd('.');

    /// <summary>Turns an error of libtorch into one of the module. libtorch's own message continues with addresses in its code.</summary>
    public static T Translate<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ExternalException e)
        {
            throw new CheckpointException(
                CheckpointErrorCode.LibTorchFailed, $"libtorch can't create the tensor: {e.Message.Split('\n')[0].Trim().TrimEnd('.')}. Check how much memory is free.", null, e);
        }
    }

    private static string RemedyFor(IReadOnlyCollection<string> attempts) =>
        attempts.Any(attempt => attempt.Contains(NeededSymbols, StringComparison.Ordinal))
            ? "Use a newer system or container (Debian 13, Ubuntu 24.04), or install its libstdc++6."
            : $"Unpack the files in runtimes/{LibTorchLocation.RuntimeIdentifier}/native of the NuGet package {LibTorchLocation.Package}"
                + $" {LibTorchLocation.Version} into '{LibTorchLocation.ModuleFolder}', or name a folder that holds them in the environment variable"
                + $" {LibTorchLocation.Variable}.";
}
