using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

/// <summary>What can be exported, and how it is given.</summary>
public sealed class ExportInputTests : ExportTests
{
    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint -Checkpoint $fs2 -DestinationPath out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Model $tiny")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Tensor $fs2.Tensors -Architecture $tiny")]
    [InlineData("$fs2 | Get-CheckpointTensor | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint $cases/fs2 out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint $fs2 out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint -Path $cases/fs? -DestinationPath out -Architecture $tiny")]
    [InlineData("Export-LlamaReferenceCheckpoint -Checkpoint $cases/fs2 out -Architecture $tiny")]
    [InlineData("\"$cases/fs2\" | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("$item | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint { 'o' + 'ut' } -Architecture $tiny")]
    [InlineData("$fs2.Tensors | Export-LlamaReferenceCheckpoint { 'out' } -Architecture $tiny")]
    [InlineData("Get-CheckpointTensor $cases/fs2 | Export-LlamaReferenceCheckpoint -DestinationPath out -Architecture $tiny")]
    [InlineData("$fs2.Tensors + $fs2.Tensors | Export-LlamaReferenceCheckpoint out -Architecture $tiny")]
    public void Exports_a_checkpoint_however_it_is_given(string script)
    {
        Session["item"] = new DirectoryInfo(Repository.Case("fs2"));

        var result = Session.RunOne<LlamaReferenceCheckpoint>(script);

        Assert.Equal(OneShard, Directory.EnumerateFileSystemEntries(Folder["out"]).Select(Path.GetFileName).Order());
        AssertIsReference("fs2", Folder["out"]);

        Assert.Equal("out", result.Name);
        Assert.Equal(Folder["out"], result.Path);
        Assert.Equal("tiny", result.Architecture.Name);
        Assert.Equal(1, result.ShardCount);
        Assert.Equal(OneShard.Select(name => Folder["out/" + name]), result.Files);
        Assert.Equal(result.Files.Sum(file => new FileInfo(file).Length), result.SizeInBytes);
    }

    [Theory]
    [InlineData("tp2-llama2")]
    [InlineData("tp2-llama3")]
    public void Exports_a_file_for_each_tensor_parallel_shard(string name)
    {
        Session["name"] = name;

        var result = Session.RunOne<LlamaReferenceCheckpoint>("Read-Fairseq2Checkpoint $cases/$name | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Equal(2, result.ShardCount);
        Assert.Equal(["consolidated.00.pth", "consolidated.01.pth", "params.json"], result.Files.Select(Path.GetFileName));
        AssertIsReference(name, Folder["out"]);
    }

    [Fact]
    public void Exports_what_is_left_after_filtering()
    {
        Session.RunOne<LlamaReferenceCheckpoint>(
            "Read-Fairseq2Checkpoint $cases/lora | Get-CheckpointTensor | Where-Object Name -notlike '*lora*' | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        AssertIsReference("lora", Folder["out"]);
    }

    [Fact]
    public void Exports_fewer_layers_for_an_architecture_that_has_fewer()
    {
        Session.Run("$fs2 | Get-CheckpointTensor | Where-Object Layer -ne 1 | Export-LlamaReferenceCheckpoint out -Architecture (New-LlamaArchitecture small -BasedOn $tiny -NumLayers 1)");

        Assert.Equal(12, Tensors(Folder["out/consolidated.00.pth"]).Count);
        Assert.Equal(1, Params(Folder["out"]).GetProperty("model").GetProperty("n_layers").GetInt32());
    }

    [Fact]
    public void Says_that_there_is_nothing_to_export()
    {
        var outcome = Session.RunOn("$fs2 | Get-CheckpointTensor *lora* | Export-LlamaReferenceCheckpoint out -Architecture $tiny");

        Assert.Empty(outcome.Names);
        Assert.Contains("the pipeline is empty", Assert.Single(outcome.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bfloat16", "bfloat16")]
    [InlineData("BF16", "bfloat16")]
    [InlineData("torch.float16", "float16")]
    [InlineData("fp16", "float16")]
    [InlineData("half", "float16")]
    [InlineData("fp32", "float32")]
    [InlineData("([Fairseq2Llama.DType]::BFloat16)", "bfloat16")]
    public void Casts_to_types_by_the_names_that_people_have_for_them(string name, string torchName)
    {
        var result = Session.RunOne<LlamaReferenceCheckpoint>($"$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType {name}");

        Assert.Equal([torchName], result.DTypes.Select(dtype => dtype.GetTorchName()));
    }

    [Fact]
    public void Names_the_types_that_there_are_where_another_one_is_asked_for()
    {
        var error = Session.RunForTerminatingError("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture $tiny -DType int8").ToString();

        Assert.Contains("float32, fp32, f32, float, float16, fp16, f16, half, bfloat16, bf16", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Complex64", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_filter_that_took_too_much()
    {
        var error = Session.RunForError(
            CheckpointErrorCode.MissingTensor,
            "$fs2 | Get-CheckpointTensor | Where-Object Name -notlike '*k_proj*' | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            "decoder.layers.0.self_attn.k_proj.weight", "decoder.layers.1.self_attn.k_proj.weight", "filtered");

        Assert.Equal("decoder.layers.0.self_attn.k_proj.weight", error.TargetObject);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Refuses_tensors_of_two_checkpoints()
    {
        Session.RunForError(
            CheckpointErrorCode.ShardMismatch,
            "Read-Fairseq2Checkpoint $cases/fs2, $cases/protocol4 | Get-CheckpointTensor | Export-LlamaReferenceCheckpoint out -Architecture $tiny",
            Repository.Case("fs2"), Repository.Case("protocol4"));

        Assert.Empty(Folder.Content);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Force")]
    public void Does_not_let_one_checkpoint_of_the_pipeline_replace_another(string force)
    {
        Session["force"] = force.Length > 0;

        var outcome = Session.RunOn("Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint out -Architecture $tiny -Force:$force");

        Assert.Equal(["out"], outcome.Names);
        ErrorAssert.Is(CheckpointErrorCode.OutputExists, Assert.Single(outcome.Errors), Folder["out"], "-DestinationPath {");
        AssertIsReference("fs2", Folder["out"]);
    }

    [Fact]
    public void Goes_on_with_the_next_checkpoint_after_an_error()
    {
        var outcome = Session.RunOn("Read-Fairseq2Checkpoint $cases/lora, $cases/fs2, $cases/bias, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { \"out/$($_.Name)\" } -Architecture $tiny");

        Assert.Equal(["fs2", "ddp"], outcome.Names);
        Assert.Equal(["UnmappedTensor", "UnmappedTensor"], outcome.ErrorIds);
        Assert.Equal(["ddp", "fs2"], Directory.EnumerateDirectories(Folder["out"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Stops_quietly_after_a_whole_export_where_the_next_command_has_enough()
    {
        var outcome = Session.RunOn(
            "do { Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint -DestinationPath { $_.Name } -Architecture $tiny | ForEach-Object { $_; break } } while ($false)");

        Assert.Empty(outcome.Errors);
        Assert.Equal(["fs2"], outcome.Names);
        Assert.Equal(["fs2", "fs2/consolidated.00.pth", "fs2/params.json"], Folder.Content.Select(entry => entry.Replace('\\', '/')));
    }

    [Fact]
    public void Puts_each_checkpoint_where_a_script_block_says()
    {
        var results = Session.Run<LlamaReferenceCheckpoint>("Read-Fairseq2Checkpoint $cases/fs2, $cases/ddp | Export-LlamaReferenceCheckpoint { \"out/$($_.Name)\" } -Architecture $tiny");

        Assert.Equal([Folder["out/fs2"], Folder["out/ddp"]], results.Select(result => result.Path));
    }

    [Fact]
    public void Says_that_the_script_block_for_the_destination_has_failed()
    {
        Session.RunForError(CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint { throw 'no luck' } -Architecture $tiny", "script block", "no luck");
        Session.RunForError(CheckpointErrorCode.WriteFailed, "$fs2 | Export-LlamaReferenceCheckpoint { } -Architecture $tiny", "script block");
        Assert.Empty(Folder.Content);
    }

    /// <summary>Brackets are wildcards, unless they are part of a name that is there.</summary>
    [Fact]
    public void Takes_a_path_that_is_there_as_it_is()
    {
        CheckpointFolder.Copy("fs2", Folder["run [1]"]);

        Session.RunOne<LlamaReferenceCheckpoint>("Export-LlamaReferenceCheckpoint 'run [1]' 'out [1]' -Architecture $tiny");

        AssertIsReference("fs2", Folder["out [1]"]);
    }

    [Theory]
    [InlineData("Export-LlamaReferenceCheckpoint -DestinationPath '' -Checkpoint $fs2", "CannotConvertArgument")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -ParamsLayout Round", "CannotConvertArgumentNoMessage")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Verification Maybe", "CannotConvertArgumentNoMessage")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint $fs2 -Tensor $fs2.Tensors", "AmbiguousParameterSet")]
    [InlineData("Export-LlamaReferenceCheckpoint out -Checkpoint ([guid]::Empty)", "CannotConvertArgumentNoMessage")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint", "MissingMandatoryParameter")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint $cases/fs2 out", "AmbiguousParameterSet")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint out, other", "AmbiguousParameterSet")]
    [InlineData("$fs2 | Export-LlamaReferenceCheckpoint out -Architecture gpt2", "ArchitectureUnknown")]
    public void Refuses_arguments_that_do_not_bind(string script, string id)
    {
        Assert.StartsWith(id, Session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(Folder.Content);
    }

    [Fact]
    public void Says_what_it_gives_and_how_careful_it_is()
    {
        var command = (CmdletInfo)Assert.Single(Session.Run("Get-Command Export-LlamaReferenceCheckpoint")).BaseObject;

        Assert.Equal([typeof(LlamaReferenceCheckpoint), typeof(ExportedShard)], command.OutputType.Select(type => type.Type));
        Assert.Equal("Path", command.DefaultParameterSet);
        Assert.Contains("WhatIf", command.Parameters.Keys);
        Assert.Contains("Confirm", command.Parameters.Keys);
        Assert.Equal(["Model"], command.Parameters["Architecture"].Aliases);
        Assert.Empty(command.Parameters["DestinationPath"].Aliases);
    }
}
