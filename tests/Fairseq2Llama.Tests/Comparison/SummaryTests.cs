using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Comparison;

/// <summary>What a comparison comes to: counts, distances, and which layers moved.</summary>
public sealed class SummaryTests : IDisposable
{
    /// <summary>Saves two versions of the weights <c>a</c> of fs2, the other changed by what stands in its place, and prints norms of PyTorch.</summary>
    private const string Change =
        """
        import json, sys, torch
        torch.manual_seed(3)
        a = {name: value.clone() for name, value in torch.load(sys.argv[1])['model'].items()}
        q, k, norm = 'decoder.layers.1.self_attn.q_proj.weight', 'decoder.layers.0.self_attn.k_proj.weight', 'decoder.layer_norm.weight'
        embed, out = 'decoder_frontend.embed.weight', 'final_proj.weight'
        nan, inf = float('nan'), float('inf')
        b = {name: value.clone() for name, value in a.items()}
        CHANGE
        torch.save(a, sys.argv[2])
        torch.save(b, sys.argv[3])

        def norms(belongs):
            names = [name for name in a if name in b and belongs(name)]
            left = torch.cat([a[name].double().flatten() for name in names])
            right = torch.cat([b[name].double().flatten() for name in names])
            return [torch.linalg.vector_norm(left - right).item(), torch.linalg.vector_norm(left).item(), (left - right).abs().max().item()]

        if len(sys.argv) > 4:
            print(json.dumps([norms(lambda name: part in name) for part in ('', embed, '.layers.0.', '.layers.1.', norm, out)]))
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [External]
    [Theory]
    [InlineData(null)]
    [InlineData(0.001)]
    public void Norms_of_layers_and_of_all_are_those_of_PyTorch(double? tolerance)
    {
        var expected = JsonSerializer.Deserialize<double[][]>(Save(
            "for i, name in enumerate(b): b[name] += 0.01 * i * torch.randn(b[name].shape)", "norms"))!;

        var summary = Summarize(tolerance);

        Assert.Equal(["embedding", "layer 0", "layer 1", "final norm", "output"], summary.Layers.Select(layer => layer.Name));
        Assert.Equal([null, 0, 1, null, null], summary.Layers.Select(layer => layer.Layer));
        AssertNorms(expected[0], summary.NormOfDifference, summary.ReferenceNorm, summary.RelativeNorm, summary.MaxAbsoluteDifference);

        Assert.All(
            summary.Layers.Zip(expected[1..]),
            pair => AssertNorms(pair.Second, pair.First.NormOfDifference, pair.First.ReferenceNorm, pair.First.RelativeNorm, pair.First.MaxAbsoluteDifference));
    }

    [External]
    [Fact]
    public void Counts_every_result_and_names_the_tensor_with_the_largest_difference()
    {
        Save(
            """
            a[k][0, 0], b[k][0, 0], a[q][0, 0], b[q][0, 0] = 0, 2, 3, 0; b[norm] = b[norm].half(); b[out] = b[out][:8].clone()
            del b['decoder.layers.0.ffn.inner_proj.weight']; b['extra'] = a[norm]; b['more'] = a[norm]
            """);

        var summary = Summarize();

        Assert.False(summary.AreEqual);
        Assert.Equal(
            (16, 2, 1, 2, 1, 1, 0),
            (summary.Equal, summary.Different, summary.OnlyInReference, summary.OnlyInDifference, summary.ShapeDiffers, summary.DTypeDiffers, summary.NotCompared));
        Assert.Equal((3, "decoder.layers.1.self_attn.q_proj.weight"), (summary.MaxAbsoluteDifference!.Value, summary.MaxAbsoluteDifferenceTensor));
        Assert.Equal(Math.Sqrt(13), summary.NormOfDifference!.Value, 1e-6);
        Assert.Equal(
            "left and right: 7 of 23 tensors are not equal (2 different, 1 different in shape, 1 different in type, 1 only in left, 2 only in right)",
            summary.ToString());

        Assert.Equal(["embedding", "layer 0", "layer 1", "final norm", "output", "other"], summary.Layers.Select(layer => layer.Name));
        Assert.Equal([(1, 1), (9, 7), (9, 8), (1, 0), (1, 0), (2, 0)], summary.Layers.Select(layer => (layer.TensorCount, layer.Equal)));
        Assert.Equal(["final norm", "output", "other"], summary.Layers.Where(layer => layer.NormOfDifference is null).Select(layer => layer.Name));
        Assert.Equal([0d, 2, 3], summary.Layers.Select(layer => layer.MaxAbsoluteDifference).OfType<double>());
        Assert.Equal("layer 0: 7 of 9 equal", summary.Layers[1].ToString());
    }

    /// <summary>What is not finite on one side only is infinitely far, and no share of anything.</summary>
    [External]
    [Theory]
    [InlineData("b[q][0, 0] = nan", "decoder.layers.1.self_attn.q_proj.weight", double.PositiveInfinity, null)]
    [InlineData("a[q][0, 0] = -inf", "decoder.layers.1.self_attn.q_proj.weight", double.PositiveInfinity, null)]
    [InlineData("a[q][0, 0] = inf; b[q][0, 0] = -inf", "decoder.layers.1.self_attn.q_proj.weight", double.PositiveInfinity, null)]
    [InlineData("a[norm][:2] = nan; b[norm][:2] = nan", "decoder.layer_norm.weight", 0d, 0d)]
    [InlineData("a[norm][0] = -inf; b[norm][0] = -inf", "decoder.layer_norm.weight", 0d, 0d)]
    [InlineData("a[norm][0] = nan; b[norm][0] = nan; a[norm][1], b[norm][1] = 1, 5", "decoder.layer_norm.weight", 4d, null)]
    [InlineData("a[norm][:] = 0; b[norm][:] = 0", "decoder.layer_norm.weight", 0d, 0d)]
    [InlineData("a[norm][:] = 0; b[norm][:] = -0.0", "decoder.layer_norm.weight", 0d, 0d)]
    [InlineData("a[norm][:] = 0; b[norm][:] = 2", "decoder.layer_norm.weight", 8d, null)]
    [InlineData("a[norm][:] = 3; b[norm][:] = 0", "decoder.layer_norm.weight", 12d, 1d)]
    [InlineData("a[norm] = a[norm][:0]; b[norm] = b[norm][:0]", "decoder.layer_norm.weight", 0d, 0d)]
    public void The_relative_norm_is_a_number_or_nothing(string change, string name, double norm, double? relative)
    {
        Save(change);

        foreach (var summary in new[] { Summarize(), Summarize(tolerance: 0) })
        {
            var tensor = summary.Tensors.Single(tensor => tensor.Name == name);

            Assert.Equal((norm, relative), (tensor.NormOfDifference!.Value, tensor.RelativeNorm));
            Assert.Equal(norm, summary.NormOfDifference);
            Assert.Equal(norm == 0, summary.MaxAbsoluteDifferenceTensor is null);

            if (summary.Layers.Single(layer => layer.Name == "final norm") is { MaxAbsoluteDifference: not 0 } layer)
            {
                Assert.Equal((norm, relative), (layer.NormOfDifference!.Value, layer.RelativeNorm));
            }
        }
    }

    /// <summary>0 and -0 differ in bits, and are no distance.</summary>
    [External]
    [Fact]
    public void Bits_decide_without_a_tolerance_and_distances_are_measured_all_the_same()
    {
        Save("a[norm][:] = 0; b[norm][:] = -0.0; b[q][1, 1] += 1");

        var (bits, numbers) = (Summarize(), Summarize(tolerance: 0));

        Assert.Equal((2, 1), (bits.Different, numbers.Different));
        Assert.Equal((null, 0d), (bits.Tolerance, numbers.Tolerance));
        Assert.Equal(16, bits.Tensors.Single(tensor => tensor.Name == "decoder.layer_norm.weight").DifferingElements);
        Assert.Equal(numbers.NormOfDifference, bits.NormOfDifference);
        Assert.Equal(numbers.Tensors.Select(tensor => tensor.MaxAbsoluteDifference), bits.Tensors.Select(tensor => tensor.MaxAbsoluteDifference));
    }

    [Theory]
    [InlineData("checkpoints/fs2", "checkpoints/deflated")]
    [InlineData("checkpoints/fs2", "huggingface/sharded")]
    [InlineData("checkpoints/tied", "checkpoints/tied-absent")]
    [InlineData("checkpoints/tied", "huggingface/tied")]
    [InlineData("huggingface/tied", "checkpoints/tied")]
    public void The_same_model_is_equal_and_has_not_moved(string reference, string difference)
    {
        var summary = Summarize(CheckpointReader.Read(Repository.Data(reference)), CheckpointReader.Read(Repository.Data(difference)));

        Assert.True(summary.AreEqual);
        Assert.Equal((0d, 0d, 0d), (summary.MaxAbsoluteDifference, summary.NormOfDifference, summary.RelativeNorm));
        Assert.Null(summary.MaxAbsoluteDifferenceTensor);
        Assert.All(summary.Layers, layer => Assert.Equal((layer.TensorCount, 0d), (layer.Equal, layer.RelativeNorm)));
        Assert.EndsWith($"all {summary.Tensors.Length} tensors are equal, bit for bit", summary.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The weights are there once, be they listed twice.</summary>
    [Theory]
    [InlineData("tied", "tied")]
    [InlineData("tied", "tied-absent")]
    [InlineData("tied-absent", "tied")]
    public void An_output_that_is_tied_on_both_sides_counts_once(string reference, string difference)
    {
        var once = Summarize(Read("tied-absent"), Read("tied-absent"));
        var summary = Summarize(Read(reference), Read(difference));

        Assert.Equal(21, summary.Tensors.Length);
        Assert.Equal(once.ReferenceNorm, summary.ReferenceNorm);

        static LlamaCheckpoint Read(string name) => Fairseq2Checkpoint.Read(Repository.Case(name));
    }

    [Fact]
    public void Another_type_gives_no_distances_without_a_tolerance()
    {
        var (reference, half) = (Fairseq2Checkpoint.Read(Repository.Case("fs2")), CheckpointReader.Read(Repository.Data("huggingface/half")));

        var summary = Summarize(reference, half);

        Assert.Equal(21, summary.DTypeDiffers);
        Assert.Equal((null, null, null, null), (summary.MaxAbsoluteDifference, summary.NormOfDifference, summary.ReferenceNorm, summary.RelativeNorm));
        Assert.Equal("fs2 and half: 21 of 21 tensors are different in type", summary.ToString());
        Assert.Equal("fs2 and half: all 21 tensors are equal, within 0.001", Summarize(reference, half, tolerance: 0.001).ToString());
    }

    [Fact]
    public void What_could_not_be_compared_is_not_equal()
    {
        var fs2 = Fairseq2Checkpoint.Read(Repository.Case("fs2"));
        using var comparison = new CheckpointComparison(fs2, fs2);

        var summary = comparison.Summarize(comparison.Pairs.Skip(2).Select(comparison.Compare));

        Assert.False(summary.AreEqual);
        Assert.Equal((2, 19), (summary.NotCompared, summary.Equal));
        Assert.Equal("fs2 and fs2: 2 of 21 tensors are not readable", summary.ToString());
        Assert.Null(summary.NormOfDifference);
        Assert.True(comparison.Summarize(comparison.Pairs.Select(comparison.Compare)).AreEqual);
    }

    private static void AssertNorms(double[] expected, double? norm, double? referenceNorm, double? relative, double? max)
    {
        Assert.Equal(expected[0], norm!.Value, 1e-12);
        Assert.Equal(expected[1], referenceNorm!.Value, 1e-12 * expected[1]);
        Assert.Equal(expected[0] / expected[1], relative!.Value, 1e-12);
        Assert.Equal(expected[2], max);
    }

    private static CheckpointComparisonSummary Summarize(LlamaCheckpoint reference, LlamaCheckpoint difference, double? tolerance = null)
    {
        using var comparison = new CheckpointComparison(reference, difference, tolerance) { MeasuresDistances = true };
        return comparison.Summarize(comparison.Pairs.Select(comparison.Compare));
    }

    private CheckpointComparisonSummary Summarize(double? tolerance = null) =>
        Summarize(Fairseq2Checkpoint.Read(_folder["left"]), Fairseq2Checkpoint.Read(_folder["right"]), tolerance);

    private string Save(string change, params string[] more)
    {
        Directory.CreateDirectory(_folder["left"]);
        Directory.CreateDirectory(_folder["right"]);
        return PyTorch.Ask(
            Change.Replace("CHANGE", change, StringComparison.Ordinal),
            [Path.Combine(Repository.Case("fs2"), "model.pt"), _folder["left/model.pt"], _folder["right/model.pt"], .. more]);
    }
}
