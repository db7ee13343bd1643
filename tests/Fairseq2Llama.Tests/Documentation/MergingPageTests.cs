using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Documentation;

/// <summary>The script of docs/merging.md computes averages with PyTorch alone.</summary>
[External]
public sealed class MergingPageTests : IDisposable
{
    private static readonly string Script =
        Page.All.Single(page => page.File == "docs/merging.md").Fenced("python").Single(snippet => snippet.Text.Contains("import torch", StringComparison.Ordinal)).Text;

    private readonly TempFolder _folder = new();
    private readonly Session _session = new();

    public MergingPageTests()
    {
        _session.Location = _folder.Path;
        _session["tiny"] = TinyModel.Architecture;
        _session["fs2"] = Repository.Case("fs2");
        _session["half"] = Repository.Data("huggingface/half");
        _session.Run("Export-LlamaReferenceCheckpoint $fs2 a -Architecture $tiny; Export-LlamaReferenceCheckpoint $half b -Architecture $tiny");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("float16")]
    [InlineData("bfloat16")]
    public void Averages_are_these(string dtype)
    {
        _session.Run($"'a', 'b' | ForEach-Object {{ Export-LlamaReferenceCheckpoint $_ \"$_-cast\" -DType {dtype} -Architecture $tiny }}");
        _session.Run("Merge-LlamaCheckpoint a-cast, b-cast -Weight 3, 1 | Export-LlamaReferenceCheckpoint c -Architecture $tiny");

        var names = LlamaReferenceCheckpoint.Read(_folder["c"]).Tensors.Select(tensor => $"{tensor.Name} same");
        Assert.Equal(names.Order(StringComparer.Ordinal), Ask("a-cast", "b-cast", "c").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Those_with_other_weights_are_not()
    {
        _session.Run("Merge-LlamaCheckpoint a, b | Export-LlamaReferenceCheckpoint c -Architecture $tiny");

        Assert.DoesNotContain(Ask("a", "b", "c"), line => line.EndsWith("q.weight same", StringComparison.Ordinal));
    }

    private string[] Ask(params string[] names) =>
        PyTorch.Ask(Script, [.. names.Select(name => _folder[name])]).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
