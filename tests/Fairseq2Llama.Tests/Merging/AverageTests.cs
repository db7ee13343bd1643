using System.Collections.Immutable;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>Averages have the bits that PyTorch gives for the formula of the documentation.</summary>
[External]
public sealed class AverageTests(MergeModels models) : IClassFixture<MergeModels>, IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Kinds => ["bfloat16", "float16", "float32", "special-bfloat16", "special-float16", "special-float32", "norms", "tied"];

    public static TheoryData<string> Formats => ["fairseq2", "hf", "hf, several files", "reference", "reference 2", "gguf"];

    private static double[][] Weights => [[1, 1, 1], [1.0 / 3, 1.0 / 3, 1.0 / 3], [2, -1.5, 0.5], [0.1, 0.2, 0.7], [3, 0, 1e-3], [-2, -1, -5], [1e30, 1e30, 1e-30]];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Have_the_bits_of_PyTorch(string kind)
    {
        foreach (var (number, weights) in Weights.Index())
        {
            var expected = PyTorchMerge.Average(_folder[$"expected-{number}.pt"], weights, FilesOf(kind));
            var average = CheckpointAverage.Of(models.ReadAll(kind), [.. weights]);

            PyTorchMerge.AssertSame(expected, models.Export(average, _folder[$"{number}"], "fairseq2"));
        }
    }

    [Fact]
    public void Without_weights_have_equal_ones()
    {
        var expected = PyTorchMerge.Average(_folder["expected.pt"], [1, 1, 1], FilesOf("bfloat16"));

        PyTorchMerge.AssertSame(expected, models.Export(CheckpointAverage.Of(models.ReadAll("bfloat16")), _folder["out"], "fairseq2"));
    }

    /// <summary>What is of several types is averaged as float32.</summary>
    [Fact]
    public void Of_mixed_types_are_float32()
    {
        string[] kinds = ["bfloat16", "float32", "float16"];
        double[] weights = [1, 2.5, 0.3];
        var expected = PyTorchMerge.Average(_folder["expected.pt"], weights, kinds.Select((kind, number) => models.PathOf(kind, number)));

        var average = CheckpointAverage.Of([.. kinds.Select(models.Read)], [.. weights]);

        Assert.All(average.Tensors, tensor => Assert.Equal(DType.Float32, tensor.DType));
        PyTorchMerge.AssertSame(expected, models.Export(average, _folder["out"], "fairseq2"));
    }

    /// <summary>Another program takes the exports apart.</summary>
    [Theory]
    [InlineData("bfloat16")]
    [InlineData("norms")]
    [InlineData("tied")]
    public void Are_exported_to_all_formats(string kind)
    {
        var weights = Weights[3];
        var expected = PyTorchMerge.Average(_folder["expected.pt"], weights, FilesOf(kind));
        var average = CheckpointAverage.Of(models.ReadAll(kind), [.. weights]);
        var comparison = new ExportComparison();

        foreach (var format in Formats.Where(format => format.Data != "gguf"))
        {
            var options = models.OptionsFor(format.Data);
            MergeModels.Export(average, _folder[format.Data], options);
            comparison.Add(_folder[format.Data], expected, MergeModels.Architecture, options);
        }

        comparison.Run();
    }

    /// <summary>Whatever formats the inputs have, and however they are divided, the average is the same.</summary>
    [Theory]
    [InlineData("fairseq2", "hf", "reference 2")]
    [InlineData("hf", "reference 2", "gguf")]
    [InlineData("reference 2", "fairseq2", "hf, several files")]
    [InlineData("gguf", "hf", "fairseq2")]
    [InlineData("hf", "hf", "hf, several files")]
    public void Do_not_depend_on_formats(params string[] formats)
    {
        // GGUF has norms in float32.
        var kind = formats.Contains("gguf") ? "float32" : "bfloat16";
        var weights = ImmutableArray.Create(0.2, 3, 1.7);
        var inputs = models.ReadAll(kind).Zip(formats, (model, format) => models.Export(model, _folder[$"{Guid.NewGuid()}"], format)).ToArray();
        var expected = PyTorchMerge.Average(_folder["expected.pt"], weights, FilesOf(kind));

        var average = CheckpointAverage.Of(inputs, weights);

        var numbers = MergeModels.NumbersOf(Fairseq2Checkpoint.Read(expected));
        Assert.Equal(numbers, MergeModels.NumbersOf(average));

        foreach (var format in Formats.Select(format => format.Data))
        {
            if (kind == "float32" || format != "gguf")
            {
                Assert.Equal(numbers, MergeModels.NumbersOf(models.Export(average, _folder[$"out-{format}"], format)));
            }
        }
    }

    /// <summary>Quantized tensors are averaged as the numbers that they stand for, which the export to another format writes.</summary>
    [Fact]
    public void Take_quantized_tensors_for_numbers()
    {
        var quantized = models.Export(models.Read("float32", 1), _folder["quantized"], "gguf Q8_0");
        var dequantized = MergeModels.Export(quantized, _folder["dequantized"], models.OptionsFor("fairseq2") with { DType = DType.Float32 });
        Assert.Contains(quantized.Tensors, tensor => tensor.DType == DType.Q8_0);
        var expected = PyTorchMerge.Average(_folder["expected.pt"], [1, 3, 2], [models.PathOf("bfloat16", 0), _folder["dequantized/model.pt"], models.PathOf("float32", 2)]);

        var average = CheckpointAverage.Of([models.Read("bfloat16", 0), quantized, models.Read("float32", 2)], [1, 3, 2]);

        Assert.All(dequantized.Tensors, tensor => Assert.Equal(DType.Float32, tensor.DType));
        PyTorchMerge.AssertSame(expected, models.Export(average, _folder["out"], "fairseq2"));
    }

    /// <summary>Twice the same, with weights that are powers of two, is the same again.</summary>
    [Theory]
    [InlineData("titan-8/step-10")]
    [InlineData("titan-2d-8/step-10")]
    [InlineData("titan-uneven/step-10")]
    [InlineData("accelerate-4/pytorch_model_fsdp_0")]
    public void Take_distributed_checkpoints(string name)
    {
        var distributed = DistributedCheckpoint.Read(
            Path.Combine(Repository.Data("distributed"), name), new CheckpointReadOptions { Architecture = TinyModel.Architecture }, TestContext.Current.CancellationToken);

        var average = CheckpointAverage.Of([distributed, distributed], [3, 1]);

        var expected = MergeModels.NumbersOf(distributed);
        var numbers = MergeModels.NumbersOf(average);
        Assert.Equal(average.Tensors.Length, numbers.Count);
        Assert.All(numbers, tensor => Assert.Equal(expected[tensor.Key], tensor.Value));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Of_tied_models_are_tied(string format)
    {
        var expected = PyTorchMerge.Average(_folder["expected.pt"], [1, 1, 1], FilesOf("tied"));
        var tied = models.ReadAll("tied").Select((model, number) => number == 0 ? model : models.Export(model, _folder[$"in-{number}"], format)).ToArray();

        var average = CheckpointAverage.Of(tied);

        // GGUF has norms in float32.
        Assert.Equal(
            MergeModels.NumbersOf(Fairseq2Checkpoint.Read(expected)).Where(tensor => format != "gguf" || !tensor.Key.Contains("norm", StringComparison.Ordinal)),
            MergeModels.NumbersOf(average).Where(tensor => format != "gguf" || !tensor.Key.Contains("norm", StringComparison.Ordinal)));

        // Meta divides the two along other dims, so that they are two there.
        var isKnown = format != "reference 2";
        Assert.Equal(isKnown, average.Tensors.Single(tensor => tensor.ParsedName.Parameter == LlamaParameter.Output).IsRepeat);
        Assert.DoesNotContain(models.Export(average, _folder["hf"], "hf").Tensors, tensor => tensor.ParsedName.Parameter == LlamaParameter.Output);
    }

    /// <summary>A format leaves a tied output out. Where another checkpoint has trained its own, the average has one of its own, too.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_a_tied_model_and_another_are_not_tied(bool isTiedFirst)
    {
        var tied = models.Export(models.Read("tied", 0), _folder["tied"], "hf");
        Assert.DoesNotContain(tied.Tensors, tensor => tensor.ParsedName.Parameter == LlamaParameter.Output);
        var other = models.Read("bfloat16", 1);
        var expected = PyTorchMerge.Average(_folder["expected.pt"], [1, 1], [models.PathOf("tied", 0), models.PathOf("bfloat16", 1)]);

        // With two, their order makes no difference to the numbers.
        var average = CheckpointAverage.Of(isTiedFirst ? [tied, other] : [other, tied]);

        PyTorchMerge.AssertSame(expected, models.Export(average, _folder["out"], "fairseq2"));
        var exported = models.Export(average, _folder["hf"], "hf");
        Assert.Equal(MergeModels.NumbersOf(Fairseq2Checkpoint.Read(expected)), MergeModels.NumbersOf(exported));
        Assert.Equal(false, exported.Architecture?.TiedEmbeddings);
    }

    private IEnumerable<string> FilesOf(string kind) => Enumerable.Range(0, MergeModels.Count).Select(number => models.PathOf(kind, number));
}
