using System.Management.Automation;
using System.Text.Json;
using Fairseq2Llama.Sources;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class ExportLlamaReferenceCheckpointTests : IDisposable
{
    private static readonly string[] OneShard = ["consolidated.00.pth", "params.json"];
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly Session _session = new();
    private readonly TempFolder _folder = new();

    public ExportLlamaReferenceCheckpointTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session["tiny"] = TinyModel.Architecture;
        _session["tied"] = TinyModel.Tied;
        _session.Location = _folder.Path;
        _session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint -Checkpoint $fs2 -DestinationPath out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Model $tiny")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Tensor $fs2.Tensors -Architecture $tiny")]
    [InlineData("$fs2 | Get-CheckpointTensor | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("$fs2.Tensors + $fs2.Tensors | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    public void Exports_a_checkpoint_however_it_is_given(string script)
    {
        var result = _session.RunOne<LlamaReferenceCheckpoint>(script);

        Assert.Equal(OneShard, Directory.EnumerateFileSystemEntries(_folder["out"]).Select(Path.GetFileName).Order());
        AssertIsReference("fs2", _folder["out"]);

        Assert.Equal("out", result.Name);
        Assert.Equal(_folder["out"], result.Path);
        Assert.Equal("tiny", result.Architecture.Name);
        Assert.Equal(1, result.ShardCount);
        Assert.Equal(OneShard.Select(name => _folder["out/" + name]), result.Files);
        Assert.Equal(result.Files.Sum(file => new FileInfo(file).Length), result.SizeInBytes);
    }

    [Theory]
    [InlineData("tp2-llama2")]
    [InlineData("tp2-llama3")]
    public void Exports_a_file_for_each_tensor_parallel_shard(string name)
    {
        _session["name"] = name;

        var result = _session.RunOne<LlamaReferenceCheckpoint>("Read-Fairseq2Checkpoint $cases/$name | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal(2, result.ShardCount);
        Assert.Equal(["consolidated.00.pth", "consolidated.01.pth", "params.json"], result.Files.Select(Path.GetFileName));
        AssertIsReference(name, _folder["out"]);
    }

    [Fact]
    public void Exports_what_is_left_after_filtering()
    {
        _session.RunOne<LlamaReferenceCheckpoint>(
            "Read-Fairseq2Checkpoint $cases/lora | Get-CheckpointTensor | Where-Object Name -notlike '*lora*' | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        AssertIsReference("lora", _folder["out"]);
    }

    [Fact]
    public void Exports_fewer_layers_for_an_architecture_that_has_fewer()
    {
        _session.Run("$fs2 | Get-CheckpointTensor | Where-Object Layer -ne 1 | Export-LlamaReferenceCheckpoint out -Architecture (New-LlamaArchitecture small -BasedOn $tiny -NumLayers 1)");

        Assert.Equal(12, Tensors(_folder["out/consolidated.00.pth"]).Count);
        Assert.Equal(1, Params(_folder["out"]).GetProperty("model").GetProperty("n_layers").GetInt32());
    }

    [Fact]
    public void Exports_nothing_for_no_tensors() =>
        Assert.Empty(_session.Run("$fs2 | Get-CheckpointTensor *lora* | Export-LlamaReferenceCheckpoint out -Architecture $tiny"));

    [Fact]
    public void Refuses_a_filter_that_took_too_much()
    {
        var error = _session.RunForError(
            CheckpointErrorCode.MissingTensor,
            "$fs2 | Get-CheckpointTensor | Where-Object Name -notlike '*k_proj*' | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            "decoder.layers.0.self_attn.k_proj.weight", "decoder.layers.1.self_attn.k_proj.weight", "filtered");

        Assert.Equal("decoder.layers.0.self_attn.k_proj.weight", error.TargetObject);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Refuses_tensors_of_two_checkpoints()
    {
        _session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/protocol4 | Get-CheckpointTensor | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            Repository.Case("fs2"), Repository.Case("protocol4"));

        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint ./deep/er/out -Architecture $tiny", "deep/er/out")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'my [1] out' -Architecture $tiny", "my [1] out")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'выход' -Architecture $tiny", "выход")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint 'out*' -Architecture $tiny", "out*")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint '../out/here' -Architecture $tiny", "here")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint \"FileSystem::$PWD/out\" -Architecture $tiny", "out")]
    public void Makes_the_folder_where_the_destination_says_from_the_location_of_the_session(string script, string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && folder.Contains('*', StringComparison.Ordinal), "no such name can be there");

        var result = _session.RunOne<LlamaReferenceCheckpoint>(script);

        Assert.Equal(Path.GetFullPath(_folder[folder]), Path.GetFullPath(result.Path));
        Assert.Equal(OneShard, Directory.EnumerateFileSystemEntries(_folder[folder]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Exports_into_the_current_location()
    {
        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint . -Architecture $tiny");

        Assert.Equal(OneShard, _folder.Content);
    }

    [Fact]
    public void Exports_each_checkpoint_to_where_a_script_block_says()
    {
        var results = _session.Run<LlamaReferenceCheckpoint>(
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { \"out/$($_.Name)\" } -Architecture $tiny");

        Assert.Equal(["fs2", "ddp"], results.Select(result => result.Name));
        AssertIsReference("fs2", _folder["out/fs2"]);
        AssertIsReference("ddp", _folder["out/ddp"]);
    }

    [Fact]
    public void Exports_to_where_a_property_of_the_object_says()
    {
        _session.Run("$fs2.PSObject.Properties.Add([psnoteproperty]::new('DestinationPath', 'by-property')); $fs2 | Export-LlamaReferenceCheckpoint -Architecture $tiny");

        AssertIsReference("fs2", _folder["by-property"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Force")]
    public void Does_not_let_one_checkpoint_of_the_pipeline_replace_another(string force)
    {
        _session["force"] = force.Length > 0;

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force:$force");

        Assert.Equal(["out"], outcome.Names);
        ErrorAssert.Is(CheckpointErrorCode.OutputExists, Assert.Single(outcome.Errors), _folder["out"], "-DestinationPath {");
        AssertIsReference("fs2", _folder["out"]);
    }

    [Fact]
    public void Goes_on_with_the_next_checkpoint_after_an_error()
    {
        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/lora, $cases/fs2, $cases/bias, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { \"out/$($_.Name)\" } -Architecture $tiny");

        Assert.Equal(["fs2", "ddp"], outcome.Names);
        Assert.Equal(["UnmappedTensor", "UnmappedTensor"], outcome.ErrorIds);
        Assert.Equal(["ddp", "fs2"], Directory.EnumerateDirectories(_folder["out"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Stops_quietly_after_a_whole_export_where_the_next_command_has_enough()
    {
        var outcome = _session.RunOn(
            "do { Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { $_.Name } -Architecture $tiny | ForEach-Object { $_; break } } while ($false)");

        Assert.Empty(outcome.Errors);
        Assert.Equal(["fs2"], outcome.Names);
        Assert.Equal(["fs2", "fs2/consolidated.00.pth", "fs2/params.json"], _folder.Content.Select(entry => entry.Replace('\\', '/')));
    }

    [Fact]
    public void Writes_nothing_at_all_and_tells_what_it_would_write_for_WhatIf()
    {
        var output = _session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint deep/out -Architecture $tiny -WhatIf");

        Assert.Empty(output);
        Assert.Empty(_folder.Content);
        var lines = _session.Host.TakeLines();
        Assert.Equal(4, lines.Count);
        Assert.Equal($"What if: Export 'tp2-llama3' as tiny to '{_folder["deep/out"]}':", lines[0]);
        Assert.Matches(@"^  consolidated\.00\.pth: 21 tensors, [0-9.]+ KiB$", lines[1]);
        Assert.Matches(@"^  consolidated\.01\.pth: 21 tensors, [0-9.]+ KiB$", lines[2]);
        Assert.Matches(@"^  params\.json: the architecture, [0-9]+ B$", lines[3]);
    }

    [Fact]
    public void Tells_for_WhatIf_what_it_would_replace_and_remove()
    {
        _session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(_folder.Path);

        Assert.Empty(_session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -WhatIf"));

        var lines = _session.Host.TakeLines();
        Assert.EndsWith("KiB, replaces the existing file", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("B, replaces the existing file", lines[2], StringComparison.Ordinal);
        Assert.Equal("  consolidated.01.pth: removed, left over from a larger export", lines[3]);
        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    [Fact]
    public void Reports_for_WhatIf_what_would_be_an_error()
    {
        _session.RunForError(
            CheckpointErrorCode.UnmappedTensor, "Read-Fairseq2Checkpoint $cases/lora | Export-LlamaReferenceCheckpoint out -Architecture $tiny -WhatIf");
    }

    [Theory]
    [InlineData("No", 0)]
    [InlineData("Yes", 1)]
    public void Asks_before_it_writes_when_told_to(string answer, int exported)
    {
        _session.Host.Answer = answer;

        var output = _session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Confirm");

        Assert.Equal([$"Export 'fs2' to '{_folder["out"]}'?"], _session.Host.Questions);
        Assert.Equal(exported, output.Count);
        Assert.Equal(exported == 1, Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void Does_not_ask_when_not_told_to()
    {
        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(_session.Host.Questions);
    }

    [Theory]
    [InlineData("consolidated.00.pth")]
    [InlineData("params.json")]
    [InlineData("consolidated.07.pth")]
    public void Refuses_to_replace_files_and_leaves_them_as_they_are(string name)
    {
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/" + name], "precious");

        var error = _session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny", _folder["out"], name, "-Force");

        Assert.Equal(_folder["out"], error.TargetObject);
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.Equal(new() { [Path.Combine("out", name)] = Convert.ToHexString("precious"u8) }, CheckpointFolder.Snapshot(_folder.Path));
        Assert.Equal(2, _folder.Content.Count);
    }

    [Fact]
    public void Replaces_only_its_own_files_and_removes_stale_shards_when_forced()
    {
        _session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        File.WriteAllText(_folder["out/tokenizer.model"], "stays");
        File.WriteAllText(_folder["out/consolidated.02.pth"], "stale");
        Directory.CreateDirectory(_folder["out/logs"]);

        var outcome = _session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        Assert.Empty(outcome.Errors);
        Assert.Empty(outcome.Warnings);
        Assert.Equal(["consolidated.00.pth", "logs", "params.json", "tokenizer.model"], Directory.EnumerateFileSystemEntries(_folder["out"]).Select(Path.GetFileName).Order());
        Assert.Equal("stays", File.ReadAllText(_folder["out/tokenizer.model"]));
        AssertIsReference("fs2", _folder["out"]);
    }

    [Fact]
    public void Writes_beside_other_files_and_warns_of_those_that_readers_would_load()
    {
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/extra.pth"], "stray");
        File.WriteAllText(_folder["out/notes.txt"], "harmless");

        var outcome = _session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(outcome.Errors);
        Assert.Contains(_folder["out/extra.pth"], Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.Equal("stray", File.ReadAllText(_folder["out/extra.pth"]));
        Assert.Equal("harmless", File.ReadAllText(_folder["out/notes.txt"]));
    }

    [Fact]
    public void Refuses_a_destination_that_is_a_file()
    {
        File.WriteAllText(_folder["out"], "a file");

        var error = _session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force", _folder["out"], "is a file");

        Assert.Equal(_folder["out"], error.TargetObject);
        Assert.Equal("a file", File.ReadAllText(_folder["out"]));
    }

    [Fact]
    public void Refuses_a_destination_below_a_file()
    {
        File.WriteAllText(_folder["file"], "a file");

        _session.RunForError(CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint file/out -Architecture $tiny", _folder["file"]);

        Assert.Equal(["file"], _folder.Content);
    }

    [Fact]
    public void Refuses_a_folder_where_a_file_shall_be()
    {
        Directory.CreateDirectory(_folder["out/params.json"]);

        _session.RunForError(
            CheckpointErrorCode.OutputExists, "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force", _folder["out/params.json"]);

        Assert.Equal(["out", "out/params.json"], _folder.Content.Select(entry => entry.Replace('\\', '/')));
    }

    [Fact]
    public void Refuses_a_destination_that_is_no_path() =>
        _session.RunForError(CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint \"a`0b\" -Architecture $tiny", "null character");

    [Fact]
    public void Warns_of_what_a_killed_export_left()
    {
        Directory.CreateDirectory(_folder["out/.fairseq2llama-01234567"]);

        var outcome = _session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Contains("left over from an export that was killed", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
        Assert.True(Directory.Exists(_folder["out/.fairseq2llama-01234567"]));
    }

    [Fact]
    public void Takes_a_destination_with_a_slash_for_the_same_as_without()
    {
        var outcome = _session.RunOn(
            "$fs2, $fs2 | Export-LlamaReferenceCheckpoint -DestinationPath { 'out' + ($script:n++ ? '/' : '') } -Architecture $tiny -Force");

        Assert.Equal(["out"], outcome.Names);
        Assert.Equal(["OutputExists"], outcome.ErrorIds);
        Assert.Equal("out", _session.RunOne<LlamaReferenceCheckpoint>("$fs2 | Export-LlamaReferenceCheckpoint out/ -Architecture $tiny -Force").Name);
    }

    [Fact]
    public void Tells_for_WhatIf_that_two_checkpoints_would_go_to_one_folder()
    {
        var outcome = _session.RunOn("$fs2, $fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force -WhatIf");

        Assert.Equal(["OutputExists"], outcome.ErrorIds);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Refuses_a_tied_output_where_shards_split_the_model_dim()
    {
        const string Export = "Get-CheckpointTensor | Where-Object Name -ne final_proj.weight | Export-LlamaReferenceCheckpoint out -Architecture $tied";

        _session.RunForError(CheckpointErrorCode.ShardMismatch, $"Read-Fairseq2Checkpoint $cases/tp2-llama2 | {Export}", "split along the model dim");
        Assert.Empty(_folder.Content);

        Assert.Equal(2, _session.RunOne<LlamaReferenceCheckpoint>($"Read-Fairseq2Checkpoint $cases/tp2-llama3 | {Export}").ShardCount);
    }

    [Fact]
    public void Exports_through_a_link_to_a_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making a link needs a privilege there");

        Directory.CreateDirectory(_folder["real"]);
        Directory.CreateSymbolicLink(_folder["link"], _folder["real"]);

        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint link -Architecture $tiny");

        AssertIsReference("fs2", _folder["real"]);
    }

    [Theory]
    [InlineData("Env:out", "Environment provider")]
    [InlineData("NoSuchDrive:/out", "NoSuchDrive")]
    public void Refuses_a_destination_outside_of_the_file_system(string destination, string word)
    {
        _session["destination"] = destination;

        Assert.Contains(word, _session.RunForError("$fs2 | Export-LlamaReferenceCheckpoint $destination -Architecture $tiny").ToString(), StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint '' -Checkpoint $fs2", "ParameterArgumentValidationError")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -ParamsLayout Round", "CannotConvertArgumentNoMessage")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Verification Maybe", "CannotConvertArgumentNoMessage")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Tensor $fs2.Tensors", "AmbiguousParameterSet")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $cases", "CannotConvertArgumentNoMessage")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture gpt2", "ArchitectureUnknown")]
    public void Refuses_arguments_that_do_not_bind(string script, string id)
    {
        Assert.StartsWith(id, _session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Names_what_LLaMA_does_not_have_and_two_ways_out()
    {
        var error = _session.RunForError(
            CheckpointErrorCode.UnmappedTensor,
            "Read-Fairseq2Checkpoint $cases/lora | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            "decoder.layers.0.self_attn.q_proj.lora_A", "decoder.layers.1.self_attn.q_proj.lora_B", "Where-Object", "-AllowUnmapped");

        Assert.Equal("decoder.layers.0.self_attn.q_proj.lora_A", error.TargetObject);
        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData("lora", 4, "layers.0.attention.wq.lora_A")]
    [InlineData("bias", 1, "layers.0.attention.wq.bias")]
    public void Carries_over_with_a_warning_for_each_what_LLaMA_does_not_have(string name, int warnings, string exported)
    {
        _session["name"] = name;

        var outcome = _session.RunOn("Read-Fairseq2Checkpoint $cases/$name | Export-LlamaReferenceCheckpoint out -Architecture $tiny -AllowUnmapped");

        Assert.Empty(outcome.Errors);
        Assert.Equal(warnings, outcome.Warnings.Count);
        Assert.All(outcome.Warnings, warning => Assert.Contains("decoder.layers.", warning, StringComparison.Ordinal));
        var tensors = Tensors(_folder["out/consolidated.00.pth"]);
        Assert.Equal(21 + warnings, tensors.Count);
        Assert.Contains(exported, tensors.Keys);
    }

    [Fact]
    public void Lists_every_contradiction_to_the_architecture_and_writes_nothing()
    {
        var error = _session.RunForError(
            CheckpointErrorCode.ArchitectureMismatch,
            "$fs2 | Export-LlamaReferenceCheckpoint out -Architecture llama3_8b",
            "'llama3_8b'", "NumLayers is 32 in the architecture and 2", "ModelDim is 4096", "VocabSize is 128256", "KeyValueDim is 1024", "FfnInnerDim is 14336");

        Assert.Equal(ErrorCategory.InvalidData, error.CategoryInfo.Category);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Asks_for_the_architecture_where_the_shapes_are_of_none_it_knows()
    {
        var error = _session.RunForError(
            CheckpointErrorCode.ArchitectureRequired,
            "$fs2 | Export-LlamaReferenceCheckpoint out",
            Repository.Case("fs2"), "-Architecture", "New-LlamaArchitecture", "-ModelDim 16", "-NumLayers 2", "-VocabSize 40", "8", "48");

        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Writes_the_output_twice_where_it_is_tied()
    {
        _session.Run("Read-Fairseq2Checkpoint $cases/tied-absent | Export-LlamaReferenceCheckpoint out -Architecture $tied");

        AssertIsReference("tied-absent", _folder["out"]);
    }

    [Fact]
    public void Writes_the_architecture_nested_by_default()
    {
        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal(
            ["dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "rope_theta=10000.0"],
            Properties(Params(_folder["out"]).GetProperty("model")));
    }

    [Theory]
    [InlineData("$tiny", "dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "vocab_size=40")]
    [InlineData("(New-LlamaArchitecture a -BasedOn $tiny -RopeTheta 500000 -RopeScaleFactor 8)",
        "dim=16", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-05", "rope_theta=500000.0", "use_scaled_rope=true", "vocab_size=40")]
    [InlineData("(New-LlamaArchitecture a -BasedOn $tiny -FfnInnerDimMultiplier 1.1 -NormEps 1e-6)",
        "dim=16", "ffn_dim_multiplier=1.1", "multiple_of=8", "n_heads=4", "n_kv_heads=2", "n_layers=2", "norm_eps=1e-06", "vocab_size=40")]
    public void Writes_the_architecture_flat_as_Metas_loaders_want_it(string architecture, params string[] properties)
    {
        _session.Run($"$fs2 | Export-LlamaReferenceCheckpoint out -Architecture {architecture} -ParamsLayout Flat");

        Assert.Equal(properties, Properties(Params(_folder["out"])));
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Full")]
    [InlineData("None")]
    public void Exports_the_same_however_much_is_verified(string verification)
    {
        _session["verification"] = verification;

        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verification $verification");

        AssertIsReference("fs2", _folder["out"]);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Full")]
    public void Notices_damaged_input_and_leaves_nothing_behind(string verification)
    {
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "decoder.layers.1.ffn.gate_proj.weight");
        _session["path"] = input["run"];
        _session["verification"] = verification;

        var error = _session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt,
            "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint deep/out -Architecture $tiny -Verification $verification",
            input["run/model.pt"], "CRC-32", "-Verification None");

        Assert.Equal(input["run/model.pt"], error.TargetObject);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Leaves_an_earlier_export_as_it_was_where_the_input_is_damaged()
    {
        _session.Run("Read-Fairseq2Checkpoint $cases/tp2-llama3 | Export-LlamaReferenceCheckpoint out -Architecture $tiny");
        var before = CheckpointFolder.Snapshot(_folder.Path);
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "final_proj.weight");
        _session["path"] = input["run"];

        _session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force");

        Assert.Equal(before, CheckpointFolder.Snapshot(_folder.Path));
    }

    [Fact]
    public void Accepts_input_with_wrong_checksums_when_told_not_to_verify()
    {
        using var input = new TempFolder("damaged");
        CheckpointFolder.Copy("fs2", input["run"]);
        CheckpointFolder.Damage(input["run"], "final_proj.weight");
        _session["path"] = input["run"];

        _session.Run("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verification None");

        var expected = Manifest.Instance.Reference["fs2"].Files[0].Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Sha256, StringComparer.Ordinal);
        Assert.Equal(["output.weight"], Tensors(_folder["out/consolidated.00.pth"]).Where(tensor => expected[tensor.Key] != tensor.Value).Select(tensor => tensor.Key));
    }

    [Fact]
    public void Notices_input_that_has_changed_since_it_was_read()
    {
        using var input = new TempFolder("changing");
        CheckpointFolder.Copy("fs2", input["run"]);
        _session["path"] = input["run"];
        _session.Run("$read = Read-Fairseq2Checkpoint $path");
        File.SetLastWriteTimeUtc(input["run/model.pt"], DateTime.UtcNow.AddMinutes(1));

        _session.RunForError(
            CheckpointErrorCode.CheckpointCorrupt, "$read | Export-LlamaReferenceCheckpoint out -Architecture $tiny", input["run/model.pt"], "changed");

        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Reports_input_that_has_gone_since_it_was_read()
    {
        using var input = new TempFolder("changing");
        CheckpointFolder.Copy("fs2", input["run"]);
        _session["path"] = input["run"];
        _session.Run("$read = Read-Fairseq2Checkpoint $path");
        File.Delete(input["run/model.pt"]);

        _session.RunForError(CheckpointErrorCode.ReadFailed, "$read | Export-LlamaReferenceCheckpoint out -Architecture $tiny", input["run/model.pt"]);

        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Lists_the_mapping_when_verbose()
    {
        var outcome = _session.RunOn("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Verbose");

        Assert.Contains("consolidated.00.pth: decoder_frontend.embed.weight -> tok_embeddings.weight (float32 40x16)", outcome.Verbose);
        Assert.Contains("consolidated.00.pth: decoder.layers.1.ffn.inner_proj.weight -> layers.1.feed_forward.w3.weight (float32 48x16)", outcome.Verbose);
        Assert.Equal(21, outcome.Verbose.Count(line => line.StartsWith("consolidated.00.pth: ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Shows_progress_in_bytes_until_it_is_done()
    {
        using var input = new TempFolder("big");
        _session["path"] = BigCheckpoint.Write(input.Path, TinyModel.Architecture with { VocabSize = 2_000_000 });

        var outcome = _session.RunOn(
            "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture (New-LlamaArchitecture wide -BasedOn $tiny -VocabSize 2000000)");

        Assert.Empty(outcome.Errors);
        Assert.NotEmpty(outcome.Progress);
        Assert.All(outcome.Progress, record => Assert.Equal("Exporting big", record.Activity));
        Assert.Equal(ProgressRecordType.Completed, outcome.Progress[^1].RecordType);
        Assert.All(outcome.Progress.SkipLast(1), record =>
        {
            Assert.Equal(ProgressRecordType.Processing, record.RecordType);
            Assert.Matches(@"^(consolidated\.00\.pth|params\.json): [0-9.]+ ([KMG]i)?B of 122\.09 MiB$", record.StatusDescription);
            Assert.InRange(record.PercentComplete, 0, 100);
        });
        Assert.Equal(outcome.Progress.SkipLast(1).Select(record => record.PercentComplete).Order(), outcome.Progress.SkipLast(1).Select(record => record.PercentComplete));
    }

    [Fact]
    public void Leaves_nothing_behind_when_it_is_stopped_in_the_middle()
    {
        using var input = new TempFolder("big");
        var architecture = new LlamaArchitecture { Name = "long", NumLayers = 1 };
        _session["path"] = BigCheckpoint.Write(input.Path, architecture);
        _session["long"] = architecture;
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/consolidated.00.pth"], "an earlier export");

        using var first = _session.Pipeline("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out -Architecture $long -Force");
        StopInTheMiddle(first);
        Assert.Equal(["out", "out/consolidated.00.pth"], _folder.Content.Select(entry => entry.Replace('\\', '/')));
        Assert.Equal("an earlier export", File.ReadAllText(_folder["out/consolidated.00.pth"]));

        using var second = _session.Pipeline("Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint new/deep -Architecture $long");
        StopInTheMiddle(second);
        Assert.Equal(["out", "out/consolidated.00.pth"], _folder.Content.Select(entry => entry.Replace('\\', '/')));

        // The session is as good as before.
        _session.Run("$fs2 | Export-LlamaReferenceCheckpoint new -Architecture $tiny");
    }

    [Fact]
    public void Finds_out_before_it_writes_that_there_is_too_little_room()
    {
        using var input = new TempFolder("huge");
        var free = new DriveInfo(_folder.Path).AvailableFreeSpace;
        Assert.SkipWhen(free > 130_000_000_000, "the disk has room for a LLaMA 65B");
        _session["path"] = BigCheckpoint.Write(input.Path, LlamaArchitectures.Find("65b"));

        var error = _session.RunForError(
            CheckpointErrorCode.InsufficientDiskSpace, "Read-Fairseq2Checkpoint $path | Export-LlamaReferenceCheckpoint out", _folder["out"], "130,5");

        Assert.Equal(ErrorCategory.ResourceUnavailable, error.CategoryInfo.Category);
        Assert.Empty(_folder.Content);
    }

    [Fact]
    public void Finds_the_architecture_by_the_shapes_where_they_leave_one()
    {
        using var input = new TempFolder("huge");
        _session["path"] = BigCheckpoint.Write(input.Path, LlamaArchitectures.Find("33b"));

        Assert.Equal("33b", _session.RunOne<CheckpointTestResult>("Read-Fairseq2Checkpoint $path | Test-Fairseq2Checkpoint").Architecture?.Name);
    }

    [Fact]
    public void Reports_a_folder_that_may_not_be_written_into()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs the permissions of a Unix folder");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write everywhere");

        Directory.CreateDirectory(_folder["sealed"]);

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder["sealed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var error = _session.RunForError(
            CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint sealed/out -Architecture $tiny", _folder["sealed/out"]);

        Assert.Equal(ErrorCategory.WriteError, error.CategoryInfo.Category);
        Assert.Equal(["sealed"], _folder.Content);
    }

    [Fact]
    public void Says_what_it_gives_and_how_careful_it_is()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command Export-LlamaReferenceCheckpoint")).BaseObject;

        Assert.Equal([typeof(LlamaReferenceCheckpoint)], command.OutputType.Select(type => type.Type));
        Assert.Equal("Checkpoint", command.DefaultParameterSet);
        Assert.Contains("WhatIf", command.Parameters.Keys);
        Assert.Contains("Confirm", command.Parameters.Keys);
        Assert.Equal(["Model"], command.Parameters["Architecture"].Aliases);
        Assert.Empty(command.Parameters["DestinationPath"].Aliases);
    }

    /// <summary>Stops a pipeline as Ctrl+C does, once it has said that it is at work.</summary>
    private static void StopInTheMiddle(PowerShell pipeline)
    {
        using var atWork = new ManualResetEventSlim();
        pipeline.Streams.Progress.DataAdded += (_, added) =>
        {
            if (pipeline.Streams.Progress[added.Index].PercentComplete > 0)
            {
                atWork.Set();
            }
        };

        var running = pipeline.BeginInvoke();
        Assert.True(atWork.Wait(Hang), "it never began");
        Assert.True(pipeline.BeginStop(null, null).AsyncWaitHandle.WaitOne(Hang), "it does not stop");
        Assert.Throws<PipelineStoppedException>(() => pipeline.EndInvoke(running));
        Assert.Equal(PSInvocationState.Stopped, pipeline.InvocationStateInfo.State);
        Assert.Empty(pipeline.Streams.Error);
    }

    private static void AssertIsReference(string name, string folder)
    {
        var expected = Manifest.Instance.Reference[name];

        foreach (var file in expected.Files)
        {
            Assert.Equal(file.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Sha256, StringComparer.Ordinal), Tensors(Path.Combine(folder, file.File)));
        }

        Assert.True(JsonElement.DeepEquals(expected.Params, Params(folder)), File.ReadAllText(Path.Combine(folder, "params.json")));
    }

    private static Dictionary<string, string> Tensors(string path)
    {
        var file = TorchFile.Open(new LocalFile(path));

        return ((PickleDict)file.Content!).Entries.ToDictionary(
            entry => (string)entry.Key!, entry => TensorBytes.Sha256(file.GetTensor((PickledTensor)entry.Value!)), StringComparer.Ordinal);
    }

    private static JsonElement Params(string folder) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Path.Combine(folder, "params.json")));

    private static IEnumerable<string> Properties(JsonElement json) =>
        json.EnumerateObject().Select(property => $"{property.Name}={property.Value.GetRawText()}").Order(StringComparer.Ordinal);
}
