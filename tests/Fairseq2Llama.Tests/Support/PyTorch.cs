namespace Fairseq2Llama.Tests.Support;

/// <summary>Asks real PyTorch. Where it is not installed such tests are skipped, except in CI, where it must be there.</summary>
internal static class PyTorch
{
    private static readonly Python Python = new("import torch");

    /// <summary>Runs a script with torch; its arguments are in sys.argv[1:].</summary>
    /// <returns>What it printed.</returns>
    public static string Ask(string script, params string[] arguments)
    {
        CategoryAttribute.Require();

        if (!Python.IsInstalled && Environment.GetEnvironmentVariable("CI") is null)
        {
            Assert.Skip("needs Python with PyTorch; set FAIRSEQ2LLAMA_PYTHON to an interpreter that has it");
        }

        return Python.Ask(script, arguments);
    }
}
