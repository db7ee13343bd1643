using System.Diagnostics;
using System.Text.Json;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Packages of npm that hold the published tokenizers of LLaMA: llama3-tokenizer-js and llama-tokenizer-js. Without them such tests are skipped.
/// </summary>
internal static class TokenizerPackages
{
    private const string Script =
        """
        import(process.argv[1]).then(({ default: tokenizer }) =>
            process.stdout.write(JSON.stringify([tokenizer.vocabById, Array.from(tokenizer.merges.keys())])));
        """;

    /// <returns>The tokens by their numbers, and the merges, the most important first.</returns>
    public static (string[] Tokens, string[] Merges) Read(string package)
    {
        CategoryAttribute.Require();
        var folder = Path.Combine(Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_TOKENIZERS") ?? "", "node_modules", package);
        var settings = Path.Combine(folder, "package.json");
        Assert.SkipUnless(
            Path.IsPathRooted(folder) && File.Exists(settings), $"needs {package} (npm install {package}), and FAIRSEQ2LLAMA_TOKENIZERS to name its folder");

        using var json = JsonDocument.Parse(File.ReadAllBytes(settings));
        var main = Path.Combine(folder, json.RootElement.GetProperty("main").GetString()!);

        using var process = Process.Start(new ProcessStartInfo("node", ["-e", Script, "--", main]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        var answer = JsonSerializer.Deserialize<string[][]>(output)!;
        return (answer[0], answer[1]);
    }
}
