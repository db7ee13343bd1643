using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Conversion;

public class ArchitectureInferenceTests
{
    [Theory]
    [InlineData("65b", "65b")]
    [InlineData("llama2_70b", "llama2_70b")]
    [InlineData("llama3_2_1b", "llama3_2_1b")]
    [InlineData("llama3_2_3b", "llama3_2_3b")]
    public void Takes_the_only_one_that_fits(string weights, string expected) =>
        Assert.Equal(expected, Infer(weights, ParamsLayout.Nested).Name);

    [Theory]
    [InlineData("llama2_7b", "7b")]
    [InlineData("llama2_13b", "13b")]
    [InlineData("llama3_1_8b", "llama3_8b")]
    [InlineData("llama3_1_70b", "llama3_70b")]
    public void Takes_the_first_of_those_with_the_same_params(string weights, string expected) =>
        Assert.Equal(expected, Infer(weights, ParamsLayout.Nested).Name);

    [Fact]
    public void Asks_where_params_would_differ() => ErrorAssert.Throws(
        CheckpointErrorCode.ArchitectureRequired,
        () => Infer("llama3_8b", ParamsLayout.Flat), // use_scaled_rope is in the flat form only
        "llama3_8b and llama3_1_8b",
        "-Architecture");

    [Fact]
    public void Asks_where_the_lengths_of_sequences_would_differ() => ErrorAssert.Throws(
        CheckpointErrorCode.ArchitectureRequired,
        () => ArchitectureInference.Infer(ShapesOf(LlamaArchitectures.Find("7b")), new HuggingFaceExportOptions().MakeFormat(CancellationToken.None), "a checkpoint"),
        "7b and llama2_7b, for which config.json differs",
        "-Architecture");

    private static LlamaArchitecture Infer(string weights, ParamsLayout layout) =>
        ArchitectureInference.Infer(ShapesOf(LlamaArchitectures.Find(weights)), new ReferenceExportOptions { ParamsLayout = layout }.MakeFormat(CancellationToken.None), "a checkpoint");

    /// <summary>The tensors that a checkpoint of the architecture has, less their data.</summary>
    private static CheckpointTensor[] ShapesOf(LlamaArchitecture architecture) =>
    [
        .. from parameter in LlamaParameter.All
           from name in parameter.NamesIn(architecture)
           let shape = new TensorShape([.. parameter.Dims.Select(dim => dim.SizeIn(architecture))])
           select new CheckpointTensor(ParameterName.Parse(name, NamingConvention.Fairseq2), DType.BFloat16, shape, null, [], []),
    ];
}
