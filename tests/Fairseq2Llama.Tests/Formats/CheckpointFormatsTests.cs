using Fairseq2Llama.Formats;

namespace Fairseq2Llama.Tests.Formats;

public class CheckpointFormatsTests
{
    [Theory]
    [InlineData("consolidated.00.pth")]
    [InlineData("params.json")]
    [InlineData("checklist.chk")]
    [InlineData("model.safetensors")]
    [InlineData("model-00001-of-00002.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer.model")]
    [InlineData("model.pt")]
    [InlineData("model.yaml")]
    [InlineData("model.gguf")]
    [InlineData("model-00001-of-00002.gguf")]
    public void Exports_write_these(string name) => Assert.True(CheckpointFormats.IsWritten(name));

    /// <summary>By these a note of moves, which anybody may have put there, could reach other files.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../config.json")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/model.safetensors")]
    [InlineData("model-00001-of-00002.safetensors/../../x")]
    [InlineData("model-1-of-2.safetensors")]
    [InlineData("model-00001-of-00002.safetensors\n")]
    [InlineData("sub/model.gguf")]
    [InlineData("../model.gguf")]
    [InlineData("/model.gguf")]
    [InlineData("..\\model.gguf")]
    [InlineData(".fairseq2llama-shard-../model.gguf")]
    [InlineData("model.gguf\n")]
    [InlineData(".gguf")]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.0.pt")]
    [InlineData(".bashrc")]
    public void And_no_others(string name) => Assert.False(CheckpointFormats.IsWritten(name));
}
