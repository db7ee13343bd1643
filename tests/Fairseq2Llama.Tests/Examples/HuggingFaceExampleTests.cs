using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>The example that goes to Hugging Face and back.</summary>
public sealed class HuggingFaceExampleTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Finds_no_difference_and_can_be_run_again()
    {
        var script = Path.Combine(Repository.Root, "examples", "Convert-ToHuggingFace.ps1");

        for (var run = 0; run < 2; run++)
        {
            using var session = new Session();
            var output = session.Run($"& '{script}' -DestinationPath '{_folder.Path}'");

            // Comparisons that are not equal would come before it.
            Assert.StartsWith("{", Assert.Single(output).ToString(), StringComparison.Ordinal);
        }

        Assert.True(File.Exists(_folder["tiny-llama-hf/model.safetensors"]));
        Assert.True(File.Exists(_folder["tiny-llama-fairseq2/model.pt"]));
    }
}
