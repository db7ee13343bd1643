using System.Management.Automation;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Cmdlets;

public sealed class GetCheckpointTensorTests : IDisposable
{
    private readonly Session _session = new();

    public GetCheckpointTensorTests()
    {
        _session["cases"] = Repository.Data("checkpoints");
        _session.Run("$fs2 = Read-Fairseq2Checkpoint $cases/fs2");
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Gets_every_tensor_in_the_order_of_the_file()
    {
        var tensors = _session.Run<CheckpointTensor>("$fs2 | Get-CheckpointTensor");

        var expected = Manifest.Instance.Files["checkpoints/fs2/model.pt"];
        Assert.Equal(expected.Select(tensor => tensor.Name), tensors.Select(tensor => tensor.Name));
        Assert.Equal(expected.Select(tensor => string.Join('x', tensor.Shape)), tensors.Select(tensor => tensor.Shape.ToString()));
    }

    [Theory]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Name final_proj.weight")]
    [InlineData("Get-CheckpointTensor final_proj.weight -Checkpoint $fs2")]
    [InlineData("$fs2 | Get-CheckpointTensor FINAL_proj.WEIGHT")]
    [InlineData("$fs2 | Get-CheckpointTensor final*")]
    [InlineData("$fs2 | Get-CheckpointTensor final_pro[ij].weight, final*")]
    public void Gets_a_tensor_by_its_name(string script) => Assert.Equal("final_proj.weight", _session.RunOne<CheckpointTensor>(script).Name);

    [Fact]
    public void Gets_the_tensors_that_any_of_several_names_matches()
    {
        var names = _session.Run<CheckpointTensor>("$fs2 | Get-CheckpointTensor final_proj.weight, *embed*, *.1.*k_proj*").Select(tensor => tensor.Name);

        Assert.Equal(["decoder_frontend.embed.weight", "decoder.layers.1.self_attn.k_proj.weight", "final_proj.weight"], names);
    }

    /// <summary>Whichever format somebody knows the names of.</summary>
    [Theory]
    [InlineData("layers.1.attention.wq.weight")]
    [InlineData("model.layers.1.self_attn.q_proj.weight")]
    [InlineData("decoder.layers.1.self_attn.q_proj.weight")]
    [InlineData("*.1.*WQ*")]
    [InlineData("*wq*, *.1.*q_proj* -Exclude *layers.0*")]
    public void Gets_a_tensor_by_its_name_in_any_format(string name)
    {
        var fairseq2 = _session.RunOne<CheckpointTensor>($"$fs2 | Get-CheckpointTensor {name}");
        var huggingFace = _session.RunOne<CheckpointTensor>($"Read-LlamaHuggingFaceCheckpoint $cases/../huggingface/half | Get-CheckpointTensor {name}");

        Assert.Equal("decoder.layers.1.self_attn.q_proj.weight", fairseq2.Name);
        Assert.Equal("model.layers.1.self_attn.q_proj.weight", huggingFace.Name);
    }

    [Theory]
    [InlineData("-Exclude *.layers.*", "decoder_frontend.embed.weight", "decoder.layer_norm.weight", "final_proj.weight")]
    [InlineData("-Exclude layers.*, norm.weight", "decoder_frontend.embed.weight", "final_proj.weight")]
    [InlineData("-Exclude *.layers.*, OUTPUT.weight, lm_head.*", "decoder_frontend.embed.weight", "decoder.layer_norm.weight")]
    [InlineData("-Exclude *")]
    [InlineData("final*, *embed* -Exclude *embed*, no_such.weight", "final_proj.weight")]
    [InlineData("final_proj.weight -Exclude $null", "final_proj.weight")]
    [InlineData("final_proj.weight -Exclude @()", "final_proj.weight")]
    public void Leaves_out_what_is_excluded(string arguments, params string[] names) =>
        Assert.Equal(names, _session.Run<CheckpointTensor>($"$fs2 | Get-CheckpointTensor {arguments}").Select(tensor => tensor.Name));

    /// <summary>It is there, whether it is wanted or not.</summary>
    [Fact]
    public void Reports_no_name_that_is_there_and_excluded() => Assert.Empty(_session.Run("$fs2 | Get-CheckpointTensor final_proj.weight -Exclude final*"));

    [Fact]
    public void Gives_nothing_for_a_wildcard_that_matches_nothing() => Assert.Empty(_session.Run("$fs2 | Get-CheckpointTensor *lora*"));

    [Fact]
    public void Reports_a_name_that_the_checkpoint_does_not_have_and_gives_the_others()
    {
        var outcome = _session.RunOn("$fs2 | Get-CheckpointTensor final_proj.weight, no_such.weight, *embed*");

        Assert.Equal(["decoder_frontend.embed.weight", "final_proj.weight"], outcome.Names);
        var error = Assert.Single(outcome.Errors);
        ErrorAssert.Is(CheckpointErrorCode.MissingTensor, error, "no_such.weight", Repository.Case("fs2"));
        Assert.Equal("no_such.weight", error.TargetObject);
        Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
    }

    [Fact]
    public void Gets_the_tensors_of_a_layer()
    {
        var tensors = _session.Run<CheckpointTensor>("$fs2 | Get-CheckpointTensor -Layer 1");

        Assert.Equal(9, tensors.Length);
        Assert.All(tensors, tensor => Assert.StartsWith("decoder.layers.1.", tensor.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Gets_the_tensors_of_several_layers() =>
        Assert.Equal(18, _session.Run<CheckpointTensor>("$fs2 | Get-CheckpointTensor -Layer 1, 0").Length);

    [Fact]
    public void Gets_what_matches_both_a_name_and_a_layer()
    {
        var tensor = _session.RunOne<CheckpointTensor>("$fs2 | Get-CheckpointTensor *q_proj* -Layer 0");

        Assert.Equal("decoder.layers.0.self_attn.q_proj.weight", tensor.Name);
    }

    [Fact]
    public void Gives_nothing_outside_of_the_layers_when_a_layer_is_asked_for() =>
        Assert.Empty(_session.Run("$fs2 | Get-CheckpointTensor final_proj.weight -Layer 0"));

    [Fact]
    public void Reports_a_layer_that_the_checkpoint_does_not_have_and_gives_the_others()
    {
        var outcome = _session.RunOn("$fs2 | Get-CheckpointTensor -Layer 0, 2");

        Assert.Equal(9, outcome.Output.Count);
        ErrorAssert.Is(CheckpointErrorCode.MissingTensor, Assert.Single(outcome.Errors), "layer 2", Repository.Case("fs2"));
    }

    [Theory]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Layer -1")]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Name ''")]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Name @()")]
    [InlineData("Get-CheckpointTensor -Checkpoint $fs2 -Name $null")]
    public void Refuses_an_argument_that_can_name_no_tensor(string script)
    {
        Assert.StartsWith("ParameterArgumentValidationError", _session.RunForTerminatingError(script).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_what_is_no_checkpoint_and_goes_on()
    {
        var outcome = _session.RunOn("'a path', [guid]::Empty, $fs2 | Get-CheckpointTensor final_proj.weight");

        Assert.Equal(["final_proj.weight"], outcome.Names);
        Assert.Equal(["CheckpointNotFound", "InputObjectNotBound"], outcome.ErrorIds);
    }

    [Fact]
    public void Gets_the_tensors_of_each_checkpoint_in_the_pipeline()
    {
        var shards = _session.Run<CheckpointTensor>("Read-Fairseq2Checkpoint $cases/fs2, $cases/tp2-llama3 | Get-CheckpointTensor final_proj.weight")
            .Select(tensor => tensor.Shards.Length);

        Assert.Equal([1, 2], shards);
    }

    [Fact]
    public void Tells_all_about_a_tensor()
    {
        var tensor = _session.RunOne<CheckpointTensor>("$fs2 | Get-CheckpointTensor decoder.layers.1.self_attn.k_proj.weight");

        Assert.Equal("layers.1.attention.wk.weight", tensor.ReferenceName);
        Assert.Equal("model.layers.1.self_attn.k_proj.weight", tensor.HuggingFaceName);
        Assert.Equal(1, tensor.Layer);
        Assert.Equal(DType.Float32, tensor.DType);
        Assert.Equal("8x16", tensor.Shape.ToString());
        Assert.Equal(128, tensor.ElementCount);
        Assert.Equal(512, tensor.SizeInBytes);
        Assert.True(tensor.IsContiguous);

        var shard = Assert.Single(tensor.Shards);
        Assert.Equal(Repository.Data("checkpoints/fs2/model.pt"), shard.File);
        Assert.Equal("decoder.layers.1.self_attn.k_proj.weight", shard.Key);
        Assert.Equal("8x16", shard.Shape.ToString());
    }

    [Fact]
    public void Leaves_names_empty_that_other_formats_do_not_have()
    {
        var tensor = _session.Run<CheckpointTensor>("Read-Fairseq2Checkpoint $cases/lora | Get-CheckpointTensor *lora_A")[0];

        Assert.Equal("decoder.layers.0.self_attn.q_proj.lora_A", tensor.Name);
        Assert.Equal(0, tensor.Layer);
        Assert.Equal(DType.BFloat16, tensor.DType);
    }

    [Fact]
    public void Gives_no_layer_outside_of_the_layers() =>
        Assert.Null(_session.RunOne<CheckpointTensor>("$fs2 | Get-CheckpointTensor decoder.layer_norm.weight").Layer);

    [Fact]
    public void Names_tensors_without_the_prefixes_of_wrappers_and_keeps_the_key_of_the_file()
    {
        var tensor = _session.RunOne<CheckpointTensor>("Read-Fairseq2Checkpoint $cases/compiled | Get-CheckpointTensor decoder.layers.1.ffn.gate_proj.weight");

        Assert.Equal("decoder.layers.1._fsdp_wrapped_module._checkpoint_wrapped_module.ffn.gate_proj.weight", tensor.Shards[0].Key);
    }

    [Fact]
    public void Knows_which_tensors_are_not_contiguous()
    {
        var names = _session.Run<CheckpointTensor>("Read-Fairseq2Checkpoint $cases/views | Get-CheckpointTensor | Where-Object -Not IsContiguous")
            .Select(tensor => tensor.Name);

        Assert.Equal(Manifest.Instance.Files["checkpoints/views/model.pt"].Where(tensor => !tensor.Contiguous).Select(tensor => tensor.Name), names);
    }

    [Theory]
    [InlineData("tp2-llama2")]
    [InlineData("tp2-llama3")]
    public void Gives_tensor_parallel_tensors_the_shape_of_the_whole(string name)
    {
        _session["name"] = name;

        var tensors = _session.Run<CheckpointTensor>("Read-Fairseq2Checkpoint $cases/$name | Get-CheckpointTensor");

        // The same model without tensor parallelism says what the whole is, and the manifest of each file what its part is.
        Assert.Equal(Manifest.Instance.Files["checkpoints/fs2/model.pt"].Select(tensor => (tensor.Name, string.Join('x', tensor.Shape))), tensors.Select(tensor => (tensor.Name, tensor.Shape.ToString())));

        for (var rank = 0; rank < 2; rank++)
        {
            Assert.Equal(
                Manifest.Instance.Files[$"checkpoints/{name}/model.{rank}.pt"].Select(tensor => string.Join('x', tensor.Shape)),
                tensors.Select(tensor => tensor.Shards[rank].Shape.ToString()));
        }
    }

    [Theory]
    [InlineData("DType -eq 'float32'", 21)]
    [InlineData("DType -eq 'bfloat16'", 0)]
    [InlineData("DType -in 'float32', 'float16'", 21)]
    [InlineData("{ $_.Shape -eq '16x16' }", 4)]
    [InlineData("{ \"$($_.Shape)\" -eq '16x16' }", 4)]
    [InlineData("Layer -eq 1", 9)]
    [InlineData("Layer -eq $null", 3)]
    [InlineData("Name -like '*norm*'", 5)]
    [InlineData("SizeInBytes -gt 2560", 6)]
    public void Gives_objects_that_can_be_filtered_in_the_ordinary_way(string condition, int count) =>
        Assert.Equal(count, _session.Run<CheckpointTensor>($"$fs2 | Get-CheckpointTensor | Where-Object {condition}").Length);

    [Fact]
    public void Stops_quietly_where_the_next_command_has_enough()
    {
        var outcome = _session.RunOn("do { $fs2 | Get-CheckpointTensor | ForEach-Object { $_; break } } while ($false)");

        Assert.Equal(["decoder_frontend.embed.weight"], outcome.Names);
        Assert.Empty(outcome.Errors);
    }

    [Fact]
    public void Says_what_it_gives_and_what_its_parameters_take()
    {
        var command = (CmdletInfo)Assert.Single(_session.Run("Get-Command Get-CheckpointTensor")).BaseObject;

        Assert.Equal([typeof(CheckpointTensor)], command.OutputType.Select(type => type.Type));
        Assert.Contains(command.Parameters["Name"].Attributes, attribute => attribute is SupportsWildcardsAttribute);
        Assert.Contains(command.Parameters["Exclude"].Attributes, attribute => attribute is SupportsWildcardsAttribute);
    }
}
