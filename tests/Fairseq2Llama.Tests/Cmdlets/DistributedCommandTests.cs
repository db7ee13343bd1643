using System.Text;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What other commands make of a distributed checkpoint, whole or damaged.</summary>
public sealed class DistributedCommandTests : IDisposable
{
    private const string Damaged = "layers.1.attention.wo.weight";

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public DistributedCommandTests()
    {
        _session["tiny"] = TinyModel.Architecture;
        _session["attentive"] = Repository.Data("forward/attentive");
        _session.Location = _folder.Path;
        CheckpointFolder.CopyFiles(DistributedManifest.Cases["titan-2"].Path, _folder["run/step-10"]);
        CheckpointFolder.CopyFiles(DistributedManifest.Cases["accelerate-4"].Path, _folder["acc"]);
        _session.Run("$titan = Read-DistributedCheckpoint run/step-10 -Architecture $tiny; $acc = Read-DistributedCheckpoint acc -Architecture $tiny");
    }

    public static TheoryData<string> Exports => ["Export-LlamaReferenceCheckpoint", "Export-LlamaHuggingFaceCheckpoint", "Export-Fairseq2Checkpoint"];

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Tensors_have_the_names_of_all_formats_and_the_parts_of_all_ranks()
    {
        var tensor = _session.RunOne<CheckpointTensor>("$acc | Get-CheckpointTensor *.1.*k_proj*");

        Assert.Equal(
            ("model.layers.1.self_attn.k_proj.weight", "decoder.layers.1.self_attn.k_proj.weight", "layers.1.attention.wk.weight"),
            (tensor.Name, tensor.Fairseq2Name, tensor.ReferenceName));
        Assert.Equal(("8x16", 4), (tensor.Shape.ToString(), tensor.Shards.Length));
        Assert.Equal(
            ["__0_0.distcp", "__1_0.distcp", "__2_0.distcp", "__3_0.distcp"], tensor.Shards.Select(shard => Path.GetFileName(shard.File)).Order(StringComparer.Ordinal));
        Assert.Equal(9, _session.RunOn("$titan | Get-CheckpointTensor -Layer 1").Output.Count);
    }

    [Theory]
    [InlineData("$titan")]
    [InlineData("$acc")]
    [InlineData("run/step-10 -Architecture $tiny")]
    [InlineData("acc -Architecture $tiny")]
    public void Passes_its_test(string argument)
    {
        foreach (var deep in new[] { "", "-Deep" })
        {
            var result = _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint {argument} {deep}");
            Assert.True(result.Passed);
            Assert.Empty(result.Findings);
        }
    }

    [Fact]
    public void A_test_of_a_path_finds_that_the_architecture_is_needed()
    {
        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint acc").Findings);

        Assert.Equal(CheckpointErrorCode.ArchitectureRequired, finding.Code);
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void Is_equal_to_its_exports(string export)
    {
        _session.Run($"$titan | {export} titan-out; $acc | {export} acc-out");

        AssertEqual("Compare-LlamaCheckpoint $titan titan-out");
        AssertEqual("Compare-LlamaCheckpoint $acc acc-out");
        AssertEqual("Compare-LlamaCheckpoint titan-out acc-out");
        AssertEqual("Compare-LlamaCheckpoint $titan $acc");

        // The original has the same numbers in another type.
        Assert.True(_session.RunOne<CheckpointComparisonSummary>("Compare-LlamaCheckpoint (Read-LlamaCheckpoint $attentive) acc-out -Tolerance 0 -Summary").AreEqual);
    }

    [Fact]
    public void Is_measured_as_the_original_is()
    {
        var original = Measure("Read-LlamaCheckpoint $attentive");

        Assert.Equal(original, Measure("$titan"));
        Assert.Equal(original, Measure("$acc"));
        Assert.Equal(21, original.Length);

        string[] Measure(string checkpoint) =>
        [
            .. _session.Run<TensorStatistics>($"{checkpoint} | Measure-CheckpointTensor")
                .Select(item => FormattableString.Invariant($"{item.Count} {item.Min} {item.Max} {item.Zeros} {item.Norm:e6}")).Order(StringComparer.Ordinal),
        ];
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void Is_cast_while_it_is_exported(string export)
    {
        _session.Run($"$acc | {export} out -DType BFloat16");

        AssertEqual("Compare-LlamaCheckpoint (Read-LlamaCheckpoint $attentive) out");
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void Shows_what_an_export_would_do(string export)
    {
        var before = _folder.Content;

        _session.Run($"$acc | {export} out -WhatIf");

        Assert.Contains("21 tensors", string.Join('\n', _session.Host.TakeLines()), StringComparison.Ordinal);
        Assert.Equal(before, _folder.Content);
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint", "-ShardCount 2", 2)]
    [InlineData("Export-LlamaHuggingFaceCheckpoint", "-MaxShardSize 16KB", 2)]
    public void Several_jobs_export_it_together(string export, string arguments, int count)
    {
        _session.Run($"$acc | {export} whole {arguments}");

        foreach (var i in Enumerable.Range(0, count).Reverse())
        {
            _session.Run($"Read-DistributedCheckpoint acc -Architecture $tiny | {export} jobs {arguments} -ShardIndex {i}");
        }

        _session.Run($"$acc | {export} jobs {arguments} -CompleteShards");

        Assert.Equal(CheckpointFolder.Hashes(_folder["whole"]), CheckpointFolder.Hashes(_folder["jobs"]));
        Assert.Equal(count, Directory.GetFiles(_folder["jobs"]).Count(file => file.EndsWith(".pth", StringComparison.Ordinal) || file.EndsWith(".safetensors", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("report.md")]
    [InlineData("report.html")]
    public void Has_a_report(string file)
    {
        _session.Run($"$acc | Export-CheckpointReport {file} -Statistics");

        // Long names may be broken after a dot.
        var text = File.ReadAllText(_folder[file], Encoding.UTF8).Replace("<wbr />", "", StringComparison.Ordinal);
        Assert.Contains("distributed format", text, StringComparison.Ordinal);
        Assert.Contains("can be exported", text, StringComparison.Ordinal);
        Assert.Contains("__3_0.distcp", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Read-DistributedCheckpoint")]
    [InlineData("Read-LlamaCheckpoint")]
    public void Names_the_files_that_are_missing(string command)
    {
        File.Delete(_folder["run/step-10/__1_0.distcp"]);

        _session.RunForError(CheckpointErrorCode.MissingShard, $"{command} run/step-10", "'__1_0.distcp' is missing");
        Assert.Equal(CheckpointErrorCode.MissingShard, Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint run/step-10").Findings).Code);
    }

    [Theory]
    [InlineData("Read-DistributedCheckpoint")]
    [InlineData("Read-LlamaCheckpoint")]
    public void Names_the_file_that_is_cut_off(string command)
    {
        using (var file = File.OpenWrite(_folder["run/step-10/__1_0.distcp"]))
        {
            file.SetLength(file.Length / 2);
        }

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"{command} run/step-10", _folder["run/step-10/__1_0.distcp"], "cut off");
        Assert.Equal(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint run/step-10").Findings).Code);
    }

    [Theory]
    [MemberData(nameof(Exports))]
    public void A_flipped_bit_is_found_and_not_exported(string export)
    {
        Damage();
        _session.Run("$damaged = Read-DistributedCheckpoint run/step-10 -Architecture $tiny");
        var before = _folder.Content;

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"$damaged | {export} out", Damaged, "CRC-32");
        Assert.Equal(before, _folder.Content);

        Assert.True(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $damaged").Passed);
        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $damaged -Deep").Findings);
        Assert.Equal((CheckpointErrorCode.CheckpointCorrupt, FindingSeverity.Error), (finding.Code, finding.Severity));
        Assert.Contains(Damaged, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_tensor_does_not_keep_others_from_being_measured_and_compared()
    {
        Damage();
        _session.Run("$damaged = Read-DistributedCheckpoint run/step-10 -Architecture $tiny");

        foreach (var script in new[] { "$damaged | Measure-CheckpointTensor", "Compare-LlamaCheckpoint $damaged $acc" })
        {
            var outcome = _session.RunOn(script);
            ErrorAssert.Is(CheckpointErrorCode.CheckpointCorrupt, Assert.Single(outcome.Errors), "CRC-32");
            Assert.Equal(20, outcome.Output.Count);
        }
    }

    /// <summary>A save of the next step into the same folder replaces files while the checkpoint is in use.</summary>
    [Theory]
    [MemberData(nameof(Exports))]
    public void A_file_that_was_replaced_after_reading_is_not_exported(string export)
    {
        File.Delete(_folder["run/step-10/__1_0.distcp"]);
        File.WriteAllBytes(_folder["run/step-10/__1_0.distcp"], [.. File.ReadAllBytes(Path.Combine(DistributedManifest.Cases["titan-2"].Path, "__1_0.distcp"))]);
        File.SetLastWriteTimeUtc(_folder["run/step-10/__1_0.distcp"], DateTime.UtcNow.AddMinutes(1));
        var before = _folder.Content;

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, $"$titan | {export} out", _folder["run/step-10/__1_0.distcp"], "was changed");
        Assert.Equal(before, _folder.Content);

        Assert.NotEmpty(_session.Run($"Read-DistributedCheckpoint run/step-10 -Architecture $tiny | {export} out"));
    }

    [Fact]
    public void A_file_that_was_removed_after_reading_is_named()
    {
        File.Delete(_folder["run/step-10/__1_0.distcp"]);
        var before = _folder.Content;

        var error = _session.RunForError("$titan | Export-LlamaReferenceCheckpoint out");

        Assert.Contains(_folder["run/step-10/__1_0.distcp"], error.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, _folder.Content);
    }

    /// <summary>Changes a bit in the middle of a tensor's data; that of all tensors is found in advance, without the commands that are tested.</summary>
    private void Damage()
    {
        var path = _folder["run/step-10/__1_0.distcp"];
        var checkpoint = DistributedCheckpoint.Read(_folder["run/step-10"], cancellationToken: TestContext.Current.CancellationToken);
        var storage = checkpoint.Tensors.Single(tensor => tensor.Name == Damaged).Shards.Single(shard => shard.File == path).Tensor.Storage;

        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = storage.Offset + (storage.Length / 2);
        var old = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(old ^ 1));
    }

    private void AssertEqual(string comparison)
    {
        var compared = _session.Run<TensorComparison>(comparison);
        Assert.Equal(21, compared.Length);
        Assert.All(compared, tensor => Assert.Equal(ComparisonResult.Equal, tensor.Result));
    }
}
