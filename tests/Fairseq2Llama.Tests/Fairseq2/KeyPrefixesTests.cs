using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Tests.Fairseq2;

public class KeyPrefixesTests
{
    [Theory]
    [InlineData("module.decoder.layer_norm.weight", "decoder.layer_norm.weight")]
    [InlineData("_orig_mod.decoder.layer_norm.weight", "decoder.layer_norm.weight")]
    [InlineData("module._orig_mod.decoder.layer_norm.weight", "decoder.layer_norm.weight")]
    [InlineData("_orig_mod.module.decoder.layer_norm.weight", "decoder.layer_norm.weight")]
    [InlineData("decoder.layers.0._checkpoint_wrapped_module._fsdp_wrapped_module.ffn.gate_proj.weight", "decoder.layers.0.ffn.gate_proj.weight")]
    [InlineData("decoder.layers.0._orig_mod._orig_mod.ffn.gate_proj.weight", "decoder.layers.0.ffn.gate_proj.weight")]
    [InlineData("decoder.module.weight", "decoder.module.weight")]
    [InlineData("decoder.my_orig_mod.weight", "decoder.my_orig_mod.weight")]
    [InlineData("decoder.layer_norm.weight", "decoder.layer_norm.weight")]
    public void Are_stripped(string name, string expected) => Assert.Equal(expected, KeyPrefixes.Strip(name));
}
