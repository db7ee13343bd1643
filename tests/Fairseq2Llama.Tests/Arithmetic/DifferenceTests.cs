using System.Text.Json;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

/// <summary>The distances of tensors that real PyTorch made, beside those that it computes, over types and between them.</summary>
[External]
public sealed class DifferenceTests : IDisposable
{
    /// <summary>Saves two state dicts and prints for each tensor: greatest distance, mean distance, cosine, how many differ, norm of the difference, norm of the reference.</summary>
    private const string Script =
        """
        import json, sys, torch
        torch.manual_seed(7)
        shape = (301, 203)
        kinds = ['float32', 'float16', 'bfloat16', 'float64', 'int64', 'bool', 'int32', 'uint8']

        def make(kind):
            dtype = getattr(torch, kind)
            if dtype == torch.bool:
                return torch.rand(shape) < 0.4
            return (torch.randn(shape, dtype=torch.float64) * 50).abs().to(dtype)

        def near(left, kind):
            moved = left.double() + (torch.rand(shape) < 0.5) * torch.randn(shape, dtype=torch.float64)
            return (moved > 0.5) if kind == 'bool' else moved.abs().to(getattr(torch, kind))

        left, right, expected = {}, {}, {}
        for one in kinds:
            for other in kinds:
                name = f'{one} and {other}'
                left[name] = make(one)
                right[name] = near(left[name], other)
                a, b = left[name].double().flatten(), right[name].double().flatten()
                expected[name] = [(a - b).abs().max().item(), (a - b).abs().mean().item(), torch.cosine_similarity(a, b, dim=0).item(), (a != b).sum().item(),
                    torch.linalg.vector_norm(a - b).item(), torch.linalg.vector_norm(a).item()]
        torch.save(left, sys.argv[1])
        torch.save(right, sys.argv[2])
        print(json.dumps(expected))
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Are_those_of_PyTorch()
    {
        var expected = JsonSerializer.Deserialize<Dictionary<string, double[]>>(PyTorch.Ask(Script, _folder["left.pt"], _folder["right.pt"]))!;
        using var comparison = new CheckpointComparison(
            Fairseq2Checkpoint.Read(_folder["left.pt"]), Fairseq2Checkpoint.Read(_folder["right.pt"]), tolerance: 0.25);

        Assert.Equal(64, comparison.Pairs.Length);
        Assert.All(comparison.Pairs, pair =>
        {
            var actual = comparison.Compare(pair);
            var (max, mean, cosine, differing) = (expected[pair.Name][0], expected[pair.Name][1], expected[pair.Name][2], expected[pair.Name][3]);

            Assert.Equal(max <= 0.25 ? ComparisonResult.Equal : ComparisonResult.Different, actual.Result);
            Assert.Equal(max, actual.MaxAbsoluteDifference);
            Assert.Equal(mean, actual.MeanAbsoluteDifference!.Value, 1e-12 * Math.Max(1, mean));
            Assert.Equal(cosine, actual.CosineSimilarity!.Value, 1e-12);
            Assert.Equal((long)differing, actual.DifferingElements);

            var (norm, referenceNorm) = (expected[pair.Name][4], expected[pair.Name][5]);
            Assert.Equal(norm, actual.NormOfDifference!.Value, 1e-12 * norm);
            Assert.Equal(referenceNorm, actual.ReferenceNorm!.Value, 1e-12 * referenceNorm);
            Assert.Equal(norm / referenceNorm, actual.RelativeNorm!.Value, 1e-12);
        });
    }
}
