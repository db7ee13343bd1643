namespace Fairseq2Llama.Tests.Llama;

public class ParameterNameTests
{
    // The rows of fairseq2's and Hugging Face's published mappings, spelled out.
    [Theory]
    [InlineData("decoder_frontend.embed.weight", "tok_embeddings.weight", "model.embed_tokens.weight", null)]
    [InlineData("decoder.layers.0.self_attn.q_proj.weight", "layers.0.attention.wq.weight", "model.layers.0.self_attn.q_proj.weight", 0)]
    [InlineData("decoder.layers.7.self_attn.k_proj.weight", "layers.7.attention.wk.weight", "model.layers.7.self_attn.k_proj.weight", 7)]
    [InlineData("decoder.layers.10.self_attn.v_proj.weight", "layers.10.attention.wv.weight", "model.layers.10.self_attn.v_proj.weight", 10)]
    [InlineData("decoder.layers.79.self_attn.output_proj.weight", "layers.79.attention.wo.weight", "model.layers.79.self_attn.o_proj.weight", 79)]
    [InlineData("decoder.layers.1.self_attn_layer_norm.weight", "layers.1.attention_norm.weight", "model.layers.1.input_layernorm.weight", 1)]
    [InlineData("decoder.layers.1.ffn.gate_proj.weight", "layers.1.feed_forward.w1.weight", "model.layers.1.mlp.gate_proj.weight", 1)]
    [InlineData("decoder.layers.1.ffn.output_proj.weight", "layers.1.feed_forward.w2.weight", "model.layers.1.mlp.down_proj.weight", 1)]
    [InlineData("decoder.layers.1.ffn.inner_proj.weight", "layers.1.feed_forward.w3.weight", "model.layers.1.mlp.up_proj.weight", 1)]
    [InlineData("decoder.layers.1.ffn_layer_norm.weight", "layers.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight", 1)]
    [InlineData("decoder.layer_norm.weight", "norm.weight", "model.norm.weight", null)]
    [InlineData("final_proj.weight", "output.weight", "lm_head.weight", null)]
    public void Maps_every_parameter(string name, string reference, string huggingFace, int? layer)
    {
        var parsed = ParameterName.Parse(name, NamingConvention.Fairseq2);

        Assert.NotNull(parsed.Parameter);
        Assert.Equal((reference, huggingFace, layer), (parsed.In(NamingConvention.Reference), parsed.In(NamingConvention.HuggingFace), parsed.Layer));
    }

    [Theory]
    [InlineData("decoder.layers.0.self_attn.q_proj.bias", "layers.0.attention.wq.bias")]
    [InlineData("decoder.layers.0.self_attn.q_proj.lora_A", "layers.0.attention.wq.lora_A")]
    [InlineData("decoder.layers.0.self_attn.q_proj.wrapped.weight", "layers.0.attention.wq.wrapped.weight")]
    [InlineData("decoder.layers.x.self_attn.q_proj.weight", null)]
    [InlineData("decoder.layers.00.self_attn.q_proj.weight", null)]
    [InlineData("decoder.layers.99999999999.self_attn.q_proj.weight", null)]
    [InlineData("encoder.layers.0.self_attn.q_proj.weight", null)]
    [InlineData("final_projection.weight", null)]
    [InlineData("", null)]
    public void Knows_what_is_no_parameter_of_LLaMA(string name, string? reference)
    {
        var parsed = ParameterName.Parse(name, NamingConvention.Fairseq2);

        Assert.Null(parsed.Parameter);
        Assert.Equal(reference, parsed.In(NamingConvention.Reference));
    }
}
