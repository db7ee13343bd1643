using System.Text;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.SafeTensors.Writing;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.HuggingFace;

public class WeightIndexWriterTests
{
    private const string First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";

    /// <summary>What json.dumps(index, indent=2, sort_keys=True) and a line feed make of the same.</summary>
    [Fact]
    public void Is_written_as_by_save_pretrained()
    {
        var index = Write(
            (First, [PlannedTensors.MakeWithoutData("model.layers.2.a", DType.Float32, 1L << 31, 2), PlannedTensors.MakeWithoutData("model.layers.10.a", DType.BFloat16, 3)]),
            (Second, [PlannedTensors.MakeWithoutData("lm_head.weight", DType.BFloat16, 5)]));

        Assert.Equal(
            $$"""
            {
              "metadata": {
                "total_parameters": 4294967304,
                "total_size": 17179869200
              },
              "weight_map": {
                "lm_head.weight": "{{Second}}",
                "model.layers.10.a": "{{First}}",
                "model.layers.2.a": "{{First}}"
              }
            }

            """,
            index,
            ignoreLineEndingDifferences: false);
    }

    [Theory]
    [InlineData(1, 1, "model.safetensors")]
    [InlineData(1, 2, "model-00001-of-00002.safetensors")]
    [InlineData(30, 163, "model-00030-of-00163.safetensors")]
    [InlineData(99_999, 100_000, "model-99999-of-100000.safetensors")]
    public void Files_are_called(int number, int count, string name)
    {
        Assert.Equal(name, WeightFile.NameOf(number, count));
        Assert.True(WeightFile.IsNameOfOne(name));
    }

    private static string Write(params (string Name, PlannedTensor[] Tensors)[] files) => Encoding.UTF8.GetString(
        WeightIndexWriter.Write([.. files.Select(file => new PlannedTensorFile(file.Name, new SafeTensorsContainer(SafeTensorsContainer.PyTorchMetadata), file.Tensors))]));
}
