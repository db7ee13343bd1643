using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>The scripts of docs/checkpoint-manifest.md compute the hashes of manifests with PyTorch alone.</summary>
[External]
public sealed class ManifestPageTests : IDisposable
{
    private static readonly string[] Scripts = [.. Page.All.Single(page => page.File == "docs/checkpoint-manifest.md").Fenced("python").Select(snippet => snippet.Text)];

    private readonly TempFolder _folder = new();
    private readonly Session _session = new();

    public ManifestPageTests()
    {
        _session.Location = _folder.Path;
        _session["tiny"] = TinyModel.Architecture;
        _session["fs2"] = Repository.Case("fs2");
        _session.Run("Export-LlamaReferenceCheckpoint $fs2 meta -Architecture $tiny -Manifest; Export-LlamaHuggingFaceCheckpoint meta hf -DType bfloat16 -Architecture $tiny -Manifest");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Tensors_of_the_reference_format_have_these_hashes() =>
        AssertSame(ReadNames("meta"), PyTorch.Ask(ScriptWith("consolidated.00.pth"), _folder["meta"]));

    [Fact]
    public void Tensors_of_Hugging_Face_have_these_hashes() =>
        AssertSame(ReadNames("hf"), SafeTensorsLibrary.Ask(ScriptWith("safetensors"), _folder["hf"]));

    [Theory]
    [InlineData("meta")]
    [InlineData("hf")]
    public void Models_have_this_hash(string name) =>
        AssertSame([name], PyTorch.Ask(ScriptWith("lines"), _folder[name]));

    [Fact]
    public void Tensors_that_were_changed_have_others()
    {
        _session.Run("Export-LlamaReferenceCheckpoint $fs2 cast -Architecture $tiny -DType float16");
        File.Copy(_folder["cast/consolidated.00.pth"], _folder["meta/consolidated.00.pth"], overwrite: true);

        Assert.DoesNotContain("same", PyTorch.Ask(ScriptWith("consolidated.00.pth"), _folder["meta"]), StringComparison.Ordinal);
    }

    private static string ScriptWith(string word) => Assert.Single(Scripts, script => script.Contains(word, StringComparison.Ordinal));

    private static void AssertSame(IEnumerable<string> names, string output) =>
        Assert.Equal(names.Select(name => $"{name} same"), output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private IEnumerable<string> ReadNames(string name) => CheckpointManifests.Read(new CheckpointAddress(_folder[name])).Tensors.Where(tensor => tensor.TiedTo is null).Select(tensor => tensor.Name);
}
