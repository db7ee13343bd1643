using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Runs OpenSSF's own program for signing models (model-signing in PyPI, 1.1 or newer). FAIRSEQ2LLAMA_MODEL_SIGNING is its command line, such as
/// <c>python3 -m model_signing</c>. Without it such tests are skipped.
/// </summary>
internal static class ModelSigning
{
    /// <summary>Runs a command.</summary>
    /// <returns>What it printed, and whether it succeeded.</returns>
    public static (bool Succeeded, string Output) Run(params string[] arguments)
    {
        CategoryAttribute.Require();
        var command = Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_MODEL_SIGNING")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        Assert.SkipUnless(command.Length > 0, "needs model_signing (pip install model-signing), and FAIRSEQ2LLAMA_MODEL_SIGNING to be its command line");

        using var process = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode == 0, output);
    }
}
