using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Tensors of TorchSharp. Where libtorch can't be loaded such tests are skipped, except in CI, where it must.</summary>
internal static class LibTorch
{
    public static ITorchTensors Tensors
    {
        get
        {
            try
            {
                return TorchTensors.Get();
            }
            catch (CheckpointException e) when (Environment.GetEnvironmentVariable("CI") is null)
            {
                Assert.Skip(e.Message);
                throw;
            }
        }
    }

    /// <summary>For a test that uses it some other way.</summary>
    public static void Require() => _ = Tensors;

    /// <summary>For a test that runs PowerShell, if one of its commands needs it.</summary>
    public static void RequireFor(string code)
    {
        if (code.Contains("ConvertTo-TorchTensor", StringComparison.Ordinal) || code.Contains("Merge-LlamaLora", StringComparison.Ordinal))
        {
            Require();
        }
    }
}
