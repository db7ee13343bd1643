using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>
/// Every tensor-parallel file has a copy of the norms. In Meta's LLaMA 3 70B they differ between files; Meta's resharder and Hugging Face's
/// converter take the first file's.
/// </summary>
[External]
public sealed class DifferingNormTests : IDisposable
{
    private const string ChangeNorms =
        """
        import sys, torch
        folder, files, names, key = sys.argv[1], sys.argv[2].split(), sys.argv[3].split(), sys.argv[4]
        for rank, file in enumerate(files):
            saved = torch.load(f'{folder}/{file}')
            state = saved[key] if key else saved
            for index, name in enumerate(names):
                state[name] = state[name].clone()
                state[name][index] += rank * (index + 1) / 8
            torch.save(saved, f'{folder}/{file}')
        """;

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public DifferingNormTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session.Location = _folder.Path;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Export-LlamaHuggingFaceCheckpoint hf")]
    [InlineData("Export-LlamaReferenceCheckpoint one -ShardCount 1")]
    [InlineData("Export-LlamaReferenceCheckpoint two")]
    [InlineData("Export-LlamaReferenceCheckpoint none -Verification None")]
    public void The_first_file_is_taken_and_one_warning_tells_how_many_differ(string export)
    {
        MakeReference();

        var outcome = _session.RunOn($"Read-LlamaReferenceCheckpoint meta | {export}");

        Assert.Empty(outcome.Errors);
        var warning = Assert.Single(outcome.Warnings, warning => warning.Contains("copies", StringComparison.Ordinal));
        Assert.Contains("copies of 2 norms differ", warning, StringComparison.Ordinal);
        Assert.Contains("by 0.25 at most ('norm.weight')", warning, StringComparison.Ordinal);
        Assert.Contains($"uses those of '{_folder["meta/consolidated.00.pth"]}'", warning, StringComparison.Ordinal);
        Assert.All(
            _session.Run<TensorComparison>(
                $"Compare-LlamaCheckpoint (Read-Fairseq2Checkpoint $cases/fs2) -Difference (Read-Llama{(export.Contains(" hf", StringComparison.Ordinal) ? "HuggingFace" : "Reference")}Checkpoint {export.Split(' ')[1]})"),
            comparison => Assert.Equal(ComparisonResult.Equal, comparison.Result));
    }

    [Fact]
    public void Matrices_are_never_taken_for_copies()
    {
        MakeReference();
        Change("meta", "consolidated.00.pth consolidated.01.pth", "layers.0.attention.wo.weight", "");

        Assert.Single(_session.RunOn("Read-LlamaReferenceCheckpoint meta | Export-LlamaReferenceCheckpoint out").Warnings);
    }

    [Fact]
    public void A_deep_test_lists_them()
    {
        CheckpointFolder.Copy("tp2-llama3", _folder["run"]);
        Change("run", "model.0.pt model.1.pt", "decoder.layer_norm.weight decoder.layers.1.ffn_layer_norm.weight", "model");

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint run -Architecture $tiny -Deep");

        Assert.True(result.Passed, string.Join("; ", result.Findings));
        Assert.All(result.Findings, finding => Assert.Equal((FindingSeverity.Warning, CheckpointErrorCode.ReplicaMismatch), (finding.Severity, finding.Code)));
        Assert.Equal(["decoder.layer_norm.weight", "decoder.layers.1.ffn_layer_norm.weight"], result.Findings.Select(finding => finding.Tensor).Order());
        Assert.Contains(result.Findings, finding => finding.Message.Contains("by 0.125 at most", StringComparison.Ordinal));
        Assert.Contains(result.Findings, finding => finding.Message.Contains("by 0.25 at most", StringComparison.Ordinal));
    }

    private void MakeReference()
    {
        _session.Run("$null = Read-Fairseq2Checkpoint $cases/fs2 | Export-LlamaReferenceCheckpoint meta -Architecture $tiny -ShardCount 2");
        Change("meta", "consolidated.00.pth consolidated.01.pth", "layers.1.ffn_norm.weight norm.weight", "");
    }

    private void Change(string folder, string files, string names, string key) => PyTorch.Ask(ChangeNorms, _folder[folder], files, names, key);
}
