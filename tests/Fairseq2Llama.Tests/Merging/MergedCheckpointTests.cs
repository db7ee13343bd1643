using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>All commands take a merged checkpoint as they take any other.</summary>
public sealed class MergedCheckpointTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new("work");

    public MergedCheckpointTests()
    {
        _session.Location = _folder.Path;
        ConverterModel.Parts.Write(_folder["one"]);
        (ConverterModel.Parts with { Files = 1 }).Write(_folder["same"]);

        // The same numbers in other places.
        _session.Run("Export-LlamaReferenceCheckpoint one other -ShardCount 2; $average = Merge-LlamaCheckpoint one, other, same -Weight 1, 1, 2");
    }

    public static TheoryData<string> Formats => ["Fairseq2", "LlamaReference", "LlamaHuggingFace"];

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Says_what_it_is_made_from()
    {
        var average = _session.RunOne<MergedCheckpoint>("$average");

        Assert.Equal("one-average", average.Name);
        Assert.Equal(["one", "other", "same"], average.Sources.Select(source => source.Name));
        Assert.Equal([1.0, 1, 2], average.Sources.Select(source => source.Weight));
        Assert.All(average.Sources, source => Assert.Equal(MergeRole.Averaged, source.Role));
        Assert.Equal((CheckpointFormat.HuggingFace, 1), (average.Format, average.ShardCount));
        Assert.Empty(average.Files);
        Assert.Equal("mine", _session.RunOne<MergedCheckpoint>("Merge-LlamaCheckpoint one, other -Name mine").Name);
    }

    [Fact]
    public void Is_piped_or_named_by_wildcards()
    {
        Assert.Equal(2, _session.RunOne<MergedCheckpoint>("Read-LlamaCheckpoint one, same | Merge-LlamaCheckpoint").Sources.Length);
        Assert.Equal(["one", "other"], _session.RunOne<MergedCheckpoint>("Merge-LlamaCheckpoint o*").Sources.Select(source => source.Name));
        Assert.Contains("average", Assert.Single(_session.RunOn("@() | Merge-LlamaCheckpoint").Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Has_the_tensors_of_the_first()
    {
        Assert.Equal(_session.RunOn("Get-CheckpointTensor one").Names, _session.RunOn("$average | Get-CheckpointTensor").Names);
        Assert.Equal("one-average", _session.RunOne<CheckpointTensor>("$average | Get-CheckpointTensor model.norm.weight").Checkpoint);
    }

    [Fact]
    public void Is_measured_as_its_export_is()
    {
        _session.Run("$average | Export-LlamaHuggingFaceCheckpoint out");

        const string Statistics = "Measure-CheckpointTensor | ForEach-Object { \"$($_.Min) $($_.Max) $($_.Mean) $($_.Std)\" }";
        var expected = _session.Run<string>($"Get-CheckpointTensor out | {Statistics}");
        Assert.Equal(expected.Order(), _session.Run<string>($"$average | Get-CheckpointTensor | {Statistics}").Order());
        Assert.Equal(21, expected.Distinct().Count());
    }

    [Fact]
    public void Is_compared()
    {
        Assert.True(_session.RunOne<CheckpointComparisonSummary>("Compare-LlamaCheckpoint one $average -Summary").AreEqual);
        Assert.True(_session.RunOne<CheckpointComparisonSummary>("Compare-LlamaCheckpoint $average other -Summary").AreEqual);
        Assert.Empty(_session.Run("Compare-LlamaCheckpoint $average $average -DifferentOnly"));
    }

    [Fact]
    public void Is_tested()
    {
        var result = _session.RunOne<CheckpointTestResult>("$average | Test-LlamaCheckpoint -Deep");

        Assert.True(result.Passed);
        Assert.DoesNotContain(result.Findings, finding => finding.Severity == FindingSeverity.Error);
    }

    [Theory]
    [InlineData("report.html")]
    [InlineData("report.md")]
    public void Is_reported(string file)
    {
        _session.Run($"$average | Export-CheckpointReport {file}");

        Assert.Contains("one-average", File.ReadAllText(_folder[file]), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Is_exported_as_that_which_it_is_equal_to(string format)
    {
        _session.Run($"Export-{format}Checkpoint one expected; $average | Export-{format}Checkpoint out");

        Assert.Equal(CheckpointFolder.Snapshot(_folder["expected"]), CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>llama.cpp's converter takes the tensors in the order of the files that they are in, and here there is one.</summary>
    [Fact]
    public void Is_exported_to_GGUF_with_the_tokenizer_of_the_first()
    {
        _session.Run(
            """
            Export-LlamaGgufCheckpoint same expected/x.gguf -Metadata @{ name = 'x' }
            Merge-LlamaCheckpoint same, one, other | Export-LlamaGgufCheckpoint out/x.gguf -Metadata @{ name = 'x' }
            """);

        Assert.Equal(CheckpointFolder.Snapshot(_folder["expected"]), CheckpointFolder.Snapshot(_folder["out"]));
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint out -ShardCount 2", "1", "0")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint out -MaxShardSize 30KB", "0", "1")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint out -MaxShardSize 30KB", "1, 0")]
    public void Is_exported_by_several_jobs(string export, params string[] jobs)
    {
        _session.Run($"$average | {export.Replace(" out ", " whole ", StringComparison.Ordinal)}");

        foreach (var job in jobs)
        {
            // Each job reads and merges anew.
            _session.Run($"Merge-LlamaCheckpoint one, other, same -Weight 1, 1, 2 | {export} -ShardIndex {job}");
        }

        _session.Run($"Merge-LlamaCheckpoint one, other, same -Weight 1, 1, 2 | {export} -CompleteShards");

        Assert.Equal(CheckpointFolder.Snapshot(_folder["whole"]), CheckpointFolder.Snapshot(_folder["out"]));
    }

    /// <summary>Jobs that merge with other weights, or other checkpoints, make no model together.</summary>
    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint out -ShardCount 2")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint out -MaxShardSize 30KB")]
    public void Of_other_weights_is_found_when_jobs_are_completed(string export)
    {
        (ConverterModel.Parts with { Files = 1 }).Write(_folder["changed"]);
        Change(_folder["changed/model.safetensors"]);
        _session.Run($"Merge-LlamaCheckpoint one, changed -Weight 1, 2 | {export} -ShardIndex 0");
        _session.Run($"Merge-LlamaCheckpoint one, changed -Weight 2, 1 | {export} -ShardIndex 1");

        _session.RunForError(CheckpointErrorCode.ShardMismatch, $"Merge-LlamaCheckpoint one, changed -Weight 1, 2 | {export} -CompleteShards", "(-ShardIndex 1)");
    }

    [Fact]
    public void Is_merged_again()
    {
        var nested = _session.RunOne<MergedCheckpoint>("Merge-LlamaCheckpoint $average, one -Name nested");

        Assert.Equal(["one-average", "one"], nested.Sources.Select(source => source.Name));
        Assert.Equal(MergeModels.NumbersOf(_session.RunOne<LlamaHuggingFaceCheckpoint>("Read-LlamaCheckpoint one")), MergeModels.NumbersOf(nested));
    }

    /// <summary>A manifest says what is in files, and it is in none.</summary>
    [Fact]
    public void Gets_no_manifest()
    {
        var before = CheckpointFolder.Snapshot(_folder.Path);

        _session.RunForError(CheckpointErrorCode.ManifestNotFound, "$average | New-CheckpointManifest", "'one-average'", "there are no files", "-Manifest");
        _session.RunForError(CheckpointErrorCode.ManifestNotFound, "$average | Test-CheckpointManifest", "'one-average'", "there are no files", "-Manifest");
        _session.RunForError(CheckpointErrorCode.ManifestNotFound, "$average | New-CheckpointManifest -Force", "'one-average'", "there are no files", "-Manifest");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    /// <summary>An export of it has one that says that its tensors were computed.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Gets_a_manifest_when_it_is_exported(string format)
    {
        _session.Run($"$average | Export-{format}Checkpoint out -Manifest");

        var manifest = CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken);
        Assert.All(manifest.Tensors, tensor => Assert.Equal("computed", tensor.Source!.Changes[0]));
        Assert.All(manifest.Tensors, tensor => Assert.Empty(tensor.Source!.Files));
        Assert.Empty(manifest.Source!.Files);
        Assert.Equal([("one", 1.0), ("other", 1.0), ("same", 2.0)], manifest.Source.Inputs.Select(input => (input.Name, input.Weight!.Value)));
        Assert.All(manifest.Source.Inputs, input => Assert.Equal(MergeRole.Averaged, input.Role));
        Assert.All(manifest.Source.Inputs, input => Assert.Contains(input.Files, file => file.Sha256 is not null));
        File.Delete(_folder["out/checkpoint-manifest.json"]);
        _session.Run("New-CheckpointManifest out");
        Assert.Equal(manifest.ModelSha256, CheckpointManifests.Read(_folder["out"], TestContext.Current.CancellationToken).ModelSha256);
    }

    [Theory]
    [InlineData("Export-LlamaHuggingFaceCheckpoint one -Force")]
    [InlineData("Export-LlamaHuggingFaceCheckpoint same -Force")]
    [InlineData("Export-LlamaReferenceCheckpoint other -ShardCount 2 -Force")]
    public void Is_not_exported_over_its_own_input(string export)
    {
        var before = CheckpointFolder.Snapshot(_folder.Path);

        var error = _session.RunForError($"$average | {export}");

        Assert.Contains("input", error.ToString(), StringComparison.OrdinalIgnoreCase);
        _session.RunForError($"Merge-LlamaCheckpoint $average, $average | {export}");
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    [Fact]
    public void With_new_tensors_is_not_exported_over_its_own_input()
    {
        var before = CheckpointFolder.Snapshot(_folder.Path);

        Assert.Contains(
            "input",
            _session.RunForError("@(Get-CheckpointTensor one) + (New-CheckpointTensor model.norm.weight (1..32)) | Export-LlamaHuggingFaceCheckpoint one -Force").ToString(),
            StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    /// <summary>Its tensors can be filtered, and mixed with new ones.</summary>
    [Fact]
    public void Takes_new_tensors()
    {
        _session.Run("@($average | Get-CheckpointTensor) + (New-CheckpointTensor norm.weight (1..32) -DType BFloat16) | Export-LlamaHuggingFaceCheckpoint out");

        Assert.Equal(["decoder.layer_norm.weight"], _session.RunOn("Compare-LlamaCheckpoint one out -DifferentOnly | ForEach-Object Name").Names);
    }

    private static void Change(string file)
    {
        var bytes = File.ReadAllBytes(file);

        for (var i = bytes.Length - 1; i > bytes.Length * 3 / 10; i -= 2)
        {
            // The signs of some numbers.
            bytes[i] ^= 0x80;
        }

        File.WriteAllBytes(file, bytes);
    }
}
