using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What Test-LlamaCheckpoint finds about files and, with -Deep, in them.</summary>
public sealed class TestFilesTests : IDisposable
{
    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public TestFilesTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["folder"] = _folder.Path;
        _session["tiny"] = TinyModel.Architecture;
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Test-LlamaCheckpoint $cases/tp-gap", CheckpointErrorCode.MissingShard, "tp-gap/model.1.pt")]
    [InlineData("Test-LlamaCheckpoint -Path $cases/tp2-disag*", CheckpointErrorCode.ShardMismatch, "tp2-disagree/model.1.pt")]
    [InlineData("Test-LlamaCheckpoint -LiteralPath $cases/both", CheckpointErrorCode.ShardMismatch, "both")]
    [InlineData("\"$cases/../refused/evil-reduce.pt\" | Test-LlamaCheckpoint", CheckpointErrorCode.UnsafePickle, "../refused/evil-reduce.pt")]
    public void What_can_not_be_read_is_a_finding(string script, CheckpointErrorCode code, string file)
    {
        var result = _session.RunOne<CheckpointTestResult>(script);

        Assert.False(result.Passed);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((FindingSeverity.Error, code), (finding.Severity, finding.Code));
        Assert.Equal(Path.GetFullPath(Repository.Data($"checkpoints/{file}")), finding.File);
    }

    [Fact]
    public void Every_file_that_can_not_be_read_is_found()
    {
        CheckpointFolder.Copy("tp2-llama3", _folder["run"]);
        File.WriteAllText(_folder["run/model.0.pt"], "no checkpoint");
        File.WriteAllBytes(_folder["run/model.1.pt"], File.ReadAllBytes(_folder["run/model.1.pt"])[..3000]);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder/run");

        Assert.Equal([_folder["run/model.0.pt"], _folder["run/model.1.pt"]], result.Findings.Select(finding => finding.File));
        _session.RunForError(CheckpointErrorCode.CheckpointUnrecognized, "Read-Fairseq2Checkpoint $folder/run", "2 files", "model.0.pt", "model.1.pt");
    }

    [Theory]
    [InlineData("$folder/run", 1000)]
    [InlineData("$folder/run -Step 500", 500)]
    [InlineData("$folder/run/checkpoints/step_500", 500)]
    public void A_step_that_can_not_be_read_is_named_after_its_run(string path, int step)
    {
        CheckpointFolder.Copy("tp-gap", _folder["run/checkpoints/step_500"]);
        CheckpointFolder.Copy("tp-gap", _folder["run/checkpoints/step_1000"]);

        var result = _session.RunOne<CheckpointTestResult>($"Test-LlamaCheckpoint {path}");

        Assert.Equal(($"run@{step}", _folder[$"run/checkpoints/step_{step}"]), (result.Name, result.Path));
        Assert.False(result.Passed);
    }

    [Fact]
    public void Folders_of_a_whole_tree_are_tested_by_name()
    {
        CheckpointFolder.Copy("fs2", _folder["good"]);
        CheckpointFolder.Copy("tp-gap", _folder["gap"]);

        // As Get-ChildItem gives them, which the hosted engine does not have.
        var results = _session.Run<CheckpointTestResult>(
            "[IO.DirectoryInfo]::new($folder).GetDirectories() | ForEach-Object { [pscustomobject] @{ PSPath = $_.FullName } }"
            + " | Test-LlamaCheckpoint -Architecture $tiny");

        Assert.Equal([("gap", false), ("good", true)], results.Select(result => (result.Name, result.Passed)).Order());
    }

    [Theory]
    [InlineData("fs2", "model.pt.tmp")]
    [InlineData("tp2-llama3", "model.01.pt")]
    public void Files_that_look_like_shards_and_are_none_are_found(string name, string stray)
    {
        CheckpointFolder.Copy(name, _folder["run"]);
        File.WriteAllText(_folder[$"run/{stray}"], "");
        File.WriteAllText(_folder["run/rank_0.pt"], "");
        File.WriteAllText(_folder["run/metadata.pt"], "");

        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder/run -Architecture $tiny").Findings);

        Assert.Equal((FindingSeverity.Warning, CheckpointErrorCode.CheckpointUnrecognized, _folder[$"run/{stray}"]), (finding.Severity, finding.Code, finding.File));
    }

    [Fact]
    public void Damage_that_only_reading_everything_shows_is_found()
    {
        CheckpointFolder.Copy("tp2-llama3", _folder["run"]);
        CheckpointFolder.Damage(_folder["run"], "decoder.layers.0.ffn.inner_proj.weight");

        var results = _session.Run<CheckpointTestResult>(
            "Test-LlamaCheckpoint $folder/run -Architecture $tiny; Test-LlamaCheckpoint $folder/run -Architecture $tiny -Deep");

        Assert.Empty(results[0].Findings);
        var finding = Assert.Single(results[1].Findings);
        Assert.Equal(
            (FindingSeverity.Error, CheckpointErrorCode.CheckpointCorrupt, "decoder.layers.0.ffn.inner_proj.weight", _folder["run/model.0.pt"]),
            (finding.Severity, finding.Code, finding.Tensor, finding.File));
    }

    [Fact]
    public void Every_checkpoint_that_passes_passes_deeply()
    {
        _session["names"] = Manifest.Instance.Reference.Keys.Except(["lora", "bias", "tied", "tied-absent", "tied-view"]).ToArray();

        var results = _session.Run<CheckpointTestResult>(
            "$names | ForEach-Object { \"$cases/$_\" } | Test-LlamaCheckpoint -Architecture $tiny -Deep");

        Assert.All(results, result => Assert.True(result.Passed, $"{result.Name}: {string.Join("; ", result.Findings)}"));
    }

    [External]
    [Fact]
    public void Files_without_checksums_are_counted_in_one_finding_and_one_warning()
    {
        PyTorch.Ask(
            """
            import os, sys, torch
            source, folder = torch.load(f'{sys.argv[1]}/model.pt')['model'], f'{sys.argv[2]}/model/pp_00/tp_00'
            os.makedirs(folder)
            for rank in range(4):
                shard = {name: tensor.chunk(4)[rank].clone() for name, tensor in source.items()}
                torch.save(shard, f'{folder}/sdp_{rank:02}.pt', _use_new_zipfile_serialization=False)
            """,
            Repository.Case("fs2"),
            _folder.Path);

        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny").Findings);
        var warning = Assert.Single(_session.RunOn("Read-Fairseq2Checkpoint $folder | Export-LlamaReferenceCheckpoint $folder/out -Architecture $tiny").Warnings);

        Assert.StartsWith($"4 files of '{_folder.Path}' were saved without checksums", finding.Message, StringComparison.Ordinal);
        Assert.Equal(finding.Message + ".", warning);
    }

    /// <summary>As the state of a random number generator in what a trainer saves beside the model.</summary>
    [External]
    [Fact]
    public void Integers_of_any_length_are_passed_over_where_they_are_not_needed()
    {
        PyTorch.Ask(
            """
            import sys, torch
            source = torch.load(f'{sys.argv[1]}/model.pt')
            source |= {'seed': 2 ** 600, 'generators': {'states': [-(2 ** 300), 2 ** 40000, (2 ** 127, 7)]}}
            torch.save(source, f'{sys.argv[2]}/model.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny -Deep");

        Assert.True(result.Passed, string.Join("; ", result.Findings));
    }

    [External]
    [Fact]
    public void A_tensor_under_an_integer_is_not_dropped_in_silence()
    {
        PyTorch.Ask(
            """
            import sys, torch
            source = torch.load(f'{sys.argv[1]}/model.pt')
            source['model'][7] = torch.zeros(3)
            torch.save(source, f'{sys.argv[2]}/model.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path);

        _session.RunForError(CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $folder | Get-CheckpointTensor", "a key that is not text");
    }

    [External]
    [Theory]
    [InlineData("complex64")]
    [InlineData("int32")]
    [InlineData("bool")]
    [InlineData("uint8")]
    public void Weights_that_are_no_real_floats_are_found_and_not_exported(string dtype)
    {
        PyTorch.Ask(
            """
            import sys, torch
            source = torch.load(f'{sys.argv[1]}/model.pt')
            name = 'decoder.layers.0.ffn.gate_proj.weight'
            source['model'][name] = source['model'][name].to(getattr(torch, sys.argv[3]))
            torch.save(source, f'{sys.argv[2]}/model.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path,
            dtype);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny");
        var finding = Assert.Single(result.Findings);
        Assert.Equal(("decoder.layers.0.ffn.gate_proj.weight", CheckpointErrorCode.UnsupportedTensor), (finding.Tensor, finding.Code));
        Assert.False(result.Passed);

        _session.RunForError(
            CheckpointErrorCode.UnsupportedTensor,
            "Read-Fairseq2Checkpoint $folder | Export-LlamaReferenceCheckpoint $folder/out -Architecture $tiny",
            "gate_proj", dtype, "-AllowUnmapped");

        // Whoever wants it so may have it.
        _session.Run("Read-Fairseq2Checkpoint $folder | Export-LlamaReferenceCheckpoint $folder/out -Architecture $tiny -AllowUnmapped -WarningAction SilentlyContinue");
        Assert.True(File.Exists(_folder["out/params.json"]));
    }

    [External]
    [Fact]
    public void Nan_and_infinity_are_counted_by_tensor_and_file()
    {
        PyTorch.Ask(
            """
            import math, os, sys, torch
            for rank in (0, 1):
                source = torch.load(f'{sys.argv[1]}/model.{rank}.pt')
                model = source['model']
                if rank == 1:
                    model['decoder.layers.0.ffn.gate_proj.weight'][3, :5] = math.nan
                    model['decoder.layers.0.ffn.gate_proj.weight'][4, 0] = -math.inf
                for name in model:
                    if 'output_proj' in name:
                        model[name] = model[name].to(torch.bfloat16)
                        model[name][0, 0] = math.inf
                torch.save(source, f'{sys.argv[2]}/model.{rank}.pt')
            """,
            Repository.Case("tp2-llama3"),
            _folder.Path);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny -Deep");

        // NaN is of no use; Inf may be meant.
        Assert.False(result.Passed);
        Assert.All(result.Findings, finding => Assert.Equal(
            (finding.Message.Contains(" NaN ", StringComparison.Ordinal) ? FindingSeverity.Error : FindingSeverity.Warning, CheckpointErrorCode.NonFiniteNumbers),
            (finding.Severity, finding.Code)));
        Assert.Contains(
            result.Findings,
            finding => finding.Message == $"'decoder.layers.0.ffn.gate_proj.weight' contains 5 NaN and 1 Inf among 384 float32 numbers in '{_folder["model.1.pt"]}'");
        Assert.Contains(
            result.Findings,
            finding => finding.Message.StartsWith("'decoder.layers.1.ffn.output_proj.weight' contains 1 Inf among 384 bfloat16 numbers", StringComparison.Ordinal));
        Assert.Equal(9, result.Findings.Length);
    }

    [External]
    [Fact]
    public void Copies_that_differ_between_ranks_are_found()
    {
        PyTorch.Ask(
            """
            import sys, torch
            for rank in (0, 1):
                source = torch.load(f'{sys.argv[1]}/model.{rank}.pt')
                source['model']['decoder.layer_norm.weight'][5] += rank
                torch.save(source, f'{sys.argv[2]}/model.{rank}.pt')
            """,
            Repository.Case("tp2-llama3"),
            _folder.Path);

        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny -Deep").Findings);

        Assert.Equal(
            (FindingSeverity.Warning, CheckpointErrorCode.ReplicaMismatch, "decoder.layer_norm.weight", _folder["model.1.pt"]),
            (finding.Severity, finding.Code, finding.Tensor, finding.File));
    }

    [External]
    [Theory]
    [InlineData("6 6 4", FindingSeverity.Information, "can't be divided evenly by 3")]
    [InlineData("4 6 6", FindingSeverity.Warning, "has 4, 6, 6 rows")]
    [InlineData("16 0 0", FindingSeverity.Warning, "would have divided them into 6, 6, 4")]
    public void An_uneven_division_is_found(string rows, FindingSeverity severity, string words)
    {
        PyTorch.Ask(
            """
            import os, sys, torch
            model = torch.load(f'{sys.argv[1]}/model.pt')['model']
            rows = [int(count) for count in sys.argv[3].split()]
            os.makedirs(f'{sys.argv[2]}/model/pp_00/tp_00')
            for rank in range(3):
                part = {}
                for name, tensor in model.items():
                    if len(tensor) == 16:
                        start = sum(rows[:rank])
                        part[name] = tensor[start:start + rows[rank]].clone() if rows[rank] else torch.empty(0)
                    else:
                        chunks = tensor.chunk(3)
                        part[name] = chunks[rank].clone()
                torch.save(part, f'{sys.argv[2]}/model/pp_00/tp_00/sdp_0{rank}.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path,
            rows);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny -Deep");

        Assert.True(result.Passed, string.Join("; ", result.Findings));
        Assert.Contains(result.Findings, finding => finding.Severity == severity && finding.Message.Contains(words, StringComparison.Ordinal));
        Assert.All(result.Findings, finding => Assert.Equal(CheckpointErrorCode.ShardMismatch, finding.Code));
    }

    [External]
    [Fact]
    public void A_tensor_that_the_last_file_lacks_is_missed_unless_nothing_is_left_of_it()
    {
        PyTorch.Ask(
            """
            import os, sys, torch
            model = torch.load(f'{sys.argv[1]}/model.pt')['model']
            os.makedirs(f'{sys.argv[2]}/model/pp_00/tp_00')
            for rank in range(2):
                part = {name: tensor.chunk(2)[rank].clone() for name, tensor in model.items()}
                if rank == 1:
                    del part['decoder.layer_norm.weight']
                torch.save(part, f'{sys.argv[2]}/model/pp_00/tp_00/sdp_0{rank}.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path);

        var finding = Assert.Single(_session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny").Findings);

        Assert.Equal(
            (CheckpointErrorCode.ShardMismatch, "decoder.layer_norm.weight", _folder["model/pp_00/tp_00/sdp_01.pt"]),
            (finding.Code, finding.Tensor, finding.File));
    }

    [External]
    [Fact]
    public void An_expanded_tensor_is_read_as_often_as_it_is_stored()
    {
        PyTorch.Ask(
            """
            import sys, torch
            source = torch.load(f'{sys.argv[1]}/model.pt')
            source['model']['huge'] = torch.tensor([float('nan')]).expand(1 << 40)
            torch.save(source, f'{sys.argv[2]}/model.pt')
            """,
            Repository.Case("fs2"),
            _folder.Path);

        var result = _session.RunOne<CheckpointTestResult>("Test-LlamaCheckpoint $folder -Architecture $tiny -Deep");

        Assert.Contains(result.Findings, finding => finding is { Code: CheckpointErrorCode.NonFiniteNumbers, Tensor: "huge" });
    }

    [Fact]
    public void Reading_tells_how_far_it_is()
    {
        var seen = new List<ByteProgress>();

        CheckpointTest.Run(Fairseq2Checkpoint.Read(Repository.Case("tied")), new CheckpointTestOptions { Deep = true }, new ProgressTo(seen.Add));

        Assert.Equal(seen.Select(progress => progress.BytesDone).Order(), seen.Select(progress => progress.BytesDone));
        Assert.Equal(seen[^1].BytesTotal, seen[^1].BytesDone);
    }

    [Fact]
    public void Reading_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => CheckpointTest.Run(
            Fairseq2Checkpoint.Read(Repository.Case("fs2")), new CheckpointTestOptions { Deep = true }, new ProgressTo(_ => stop.Cancel()), stop.Token));
    }
}
