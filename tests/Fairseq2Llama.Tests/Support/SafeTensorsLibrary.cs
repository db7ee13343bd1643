namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Asks the real safetensors library, with PyTorch. Debian has both from 13 on, so such tests are skipped in CI, too, where they are not installed;
/// files in tests/data that the library wrote stand in for it there.
/// </summary>
internal static class SafeTensorsLibrary
{
    private static readonly Python Python = new("import safetensors.torch, torch");

    /// <summary>Runs a script with safetensors and torch; its arguments are in sys.argv[1:].</summary>
    /// <returns>What it printed.</returns>
    public static string Ask(string script, params string[] arguments)
    {
        CategoryAttribute.Require();
        Assert.SkipUnless(
            Python.IsInstalled,
            "needs Python with PyTorch and safetensors (Debian 13: python3-torch, python3-safetensors); set FAIRSEQ2LLAMA_PYTHON to an interpreter that has them");

        return Python.Ask(script, arguments);
    }
}
