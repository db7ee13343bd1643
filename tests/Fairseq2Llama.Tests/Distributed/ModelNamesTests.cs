using Fairseq2Llama.Distributed;

namespace Fairseq2Llama.Tests.Distributed;

/// <summary>The model is found among whatever a trainer saves, whichever prefix it has. The names are those in the sources of the trainers.</summary>
public class ModelNamesTests
{
    [Theory]
    // torchtitan 0.2 (components/checkpoint.py) and 0.1, which had a prefix.
    [InlineData("Reference", "", "tok_embeddings.weight layers.0.attention.wq.weight layers.0.feed_forward.w1.weight norm.weight output.weight")]
    [InlineData("Reference", "model.", "tok_embeddings.weight layers.0.attention.wq.weight layers.0.feed_forward.w1.weight norm.weight output.weight")]
    // accelerate (utils/fsdp_utils.py) of a LlamaForCausalLM, and without a head of a LlamaModel.
    [InlineData("HuggingFace", "model.", "model.embed_tokens.weight model.layers.0.self_attn.q_proj.weight model.norm.weight lm_head.weight")]
    // Lightning's ModelParallelStrategy, and a LightningModule that keeps transformers' model.
    [InlineData("HuggingFace", "state_dict.model.", "model.embed_tokens.weight model.layers.0.self_attn.q_proj.weight model.norm.weight lm_head.weight")]
    // fairseq2's own names, as somebody may save them.
    [InlineData("Fairseq2", "model.", "decoder_frontend.embed.weight decoder.layers.0.self_attn.q_proj.weight decoder.layer_norm.weight final_proj.weight")]
    public void Convention_and_prefix_follow_from_the_names(string convention, string prefix, string names)
    {
        string[] parameters = names.Split(' ');
        var found = ModelNames.Of([.. parameters.Select(name => prefix + name), .. OptimizerOf(prefix, parameters), "train_state.step", "dataloader.dp_rank_0"])!;

        Assert.Equal(convention, NameOf(found.Convention));
        Assert.Equal(prefix, found.Prefix);
        Assert.Equal(parameters.Order(StringComparer.Ordinal), found.Tensors.Select(tensor => tensor.Name.Name).Order(StringComparer.Ordinal));
        Assert.All(found.Tensors, tensor => Assert.NotNull(tensor.Name.Parameter));
        Assert.Empty(found.OtherPrefixes);
    }

    /// <summary>The names of April 2026 (pytorch/torchtitan ad7a86533 and 786e26f8e), also mixed with older ones.</summary>
    [Theory]
    [InlineData("layers.0.attention.qkv_linear.wq.weight", "layers.0.attention.wq.weight")]
    [InlineData("layers.11.attention.qkv_linear.wv.weight", "layers.11.attention.wv.weight")]
    [InlineData("layers.0.attention.wo.weight", "layers.0.attention.wo.weight")]
    [InlineData("lm_head.weight", "output.weight")]
    [InlineData("output.weight", "output.weight")]
    public void Newer_names_of_torchtitan_are_Meta_s(string key, string expected)
    {
        var found = ModelNames.Of(["tok_embeddings.weight", "norm.weight", key])!;

        Assert.Equal(NamingConvention.Reference, found.Convention);
        Assert.Contains((key, expected), found.Tensors.Select(tensor => (tensor.Key, tensor.Name.Name)));
    }

    [Fact]
    public void Wrappers_leave_no_trace()
    {
        var found = ModelNames.Of(["model._orig_mod.tok_embeddings.weight", "model._orig_mod.layers.0._checkpoint_wrapped_module.attention.wq.weight"])!;

        Assert.Equal(["tok_embeddings.weight", "layers.0.attention.wq.weight"], found.Tensors.Select(tensor => tensor.Name.Name));
    }

    [Fact]
    public void What_belongs_to_the_model_but_is_no_parameter_stays()
    {
        var found = ModelNames.Of(["model.tok_embeddings.weight", "model.layers.0.attention.wq.weight", "model.layers.0.attention.wq.lora_A", "other.thing"])!;

        Assert.Equal(["tok_embeddings.weight", "layers.0.attention.wq.weight", "layers.0.attention.wq.lora_A"], found.Tensors.Select(tensor => tensor.Name.Name));
        Assert.Equal(1, found.OthersCount);
    }

    [Fact]
    public void Of_a_model_and_its_copy_the_one_with_the_shorter_prefix_is_meant()
    {
        var found = ModelNames.Of(["ema.tok_embeddings.weight", "ema.norm.weight", "tok_embeddings.weight", "norm.weight"])!;

        Assert.Equal("", found.Prefix);
        Assert.Equal(["ema."], found.OtherPrefixes);
    }

    [Fact]
    public void An_optimizer_is_no_model() => Assert.Null(ModelNames.Of(["optimizer.state.norm.weight.exp_avg", "optimizer.state.norm.weight", "optim.norm.weight"]));

    private static IEnumerable<string> OptimizerOf(string prefix, IEnumerable<string> names) =>
        names.SelectMany(name => new[] { $"optimizer.state.{prefix}{name}.exp_avg", $"optimizer.state.{name}.step", $"optimizer.param_groups.{name}.lr" });

    private static string NameOf(NamingConvention convention) =>
        convention == NamingConvention.Reference ? "Reference" : convention == NamingConvention.HuggingFace ? "HuggingFace" : "Fairseq2";
}
