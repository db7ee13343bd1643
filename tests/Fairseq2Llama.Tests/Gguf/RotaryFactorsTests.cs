using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Gguf;

/// <summary>The factors of scaled rotary encoding have the bits that real PyTorch computes.</summary>
public class RotaryFactorsTests
{
    /// <summary>Made by generate_extra_tensors of llama.cpp's conversion/llama.py (b9371) with PyTorch 1.13.1.</summary>
    [Theory]
    [InlineData(128, 8, "8b516af9cb5db26ed32831eb6f493dd620843d1cd69ca7bbad760c76061cd565")]
    [InlineData(64, 32, "d25a6d176d9313062b8f86440c88649f9e568d573ea66bfa4e85e2424cf35633")]
    [InlineData(128, 32, "af00a6286e9cba87733f6e5dd6b09a2bffd7326e6ac33d346f83f7c2f4857828")]
    public void Have_the_bits_of_PyTorch(int headDim, double scale, string sha256) => Assert.Equal(
        sha256, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(RotaryFactors.Compute(headDim, 500_000, scale).AsSpan()))));

    /// <summary>The formula of the converter, by PyTorch itself.</summary>
    [External]
    [Fact]
    public void Have_the_bits_of_this_PyTorch()
    {
        const string Script =
            """
            import math, torch
            for dim in (8, 16, 64, 80, 96, 128):
                for base in (10000.0, 500000.0):
                    for factor in (2.0, 8.0, 32.0):
                        freqs = 1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
                        low, high, factors = 8192 / 1.0, 8192 / 4.0, []
                        for freq in freqs:
                            length = 2 * math.pi / freq
                            if length < high: factors.append(1)
                            elif length > low: factors.append(factor)
                            else:
                                smooth = (8192 / length - 1.0) / (4.0 - 1.0)
                                factors.append(1 / ((1 - smooth) / factor + smooth))
                        print(dim, int(base), int(factor), torch.tensor(factors, dtype=torch.float32).numpy().tobytes().hex())
            """;

        Assert.All(PyTorch.Ask(Script).Split('\n').Select(line => line.Split(' ')), line =>
        {
            var factors = RotaryFactors.Compute(int.Parse(line[0]), int.Parse(line[1]), int.Parse(line[2]));
            Assert.Equal(line[3], Convert.ToHexStringLower(MemoryMarshal.AsBytes(factors.AsSpan())));
        });
    }

    [Theory]
    [InlineData(8)]
    [InlineData(32)]
    [InlineData(2.5)]
    public void Tell_their_scale(double scale) =>
        Assert.Equal(scale, RotaryFactors.FindScale(File(RotaryFactors.Compute(128, 500_000, scale)), 128, 500_000));

    [Fact]
    public void Of_one_scale_nothing() => Assert.Null(RotaryFactors.FindScale(File([.. Enumerable.Repeat(1f, 64)]), 128, 500_000));

    /// <summary>Other programs compute in float64.</summary>
    [Fact]
    public void May_have_been_rounded_otherwise()
    {
        float[] factors = [.. RotaryFactors.Compute(128, 500_000, 8).Select(factor => factor == 1 || factor == 8 ? factor : factor * 1.000001f)];

        Assert.Equal(8, RotaryFactors.FindScale(File(factors), 128, 500_000));
    }

    public static TheoryData<float[]> Others => new(
        RotaryFactors.Compute(64, 500_000, 8),
        RotaryFactors.Compute(128, 10_000, 8),
        [.. Enumerable.Repeat(2f, 64)],
        [.. Enumerable.Repeat(0f, 64)],
        [.. Enumerable.Repeat(float.NaN, 64)],
        [.. Enumerable.Repeat(float.PositiveInfinity, 64)],
        [.. RotaryFactors.Compute(128, 500_000, 8).Select(factor => -factor)],
        [.. RotaryFactors.Compute(128, 500_000, 8)[..^1], float.NaN],
        [.. RotaryFactors.Compute(128, 500_000, 8)[..^1], 1f]);

    [Theory]
    [MemberData(nameof(Others))]
    public void Others_are_refused(float[] factors) => ErrorAssert.Throws(
        CheckpointErrorCode.ArchitectureMismatch, () => RotaryFactors.FindScale(File(factors), 128, 500_000), "'rope_freqs.weight' of 'memory.pt' scales rotary encoding in another way than LLaMA 3.1");

    [Fact]
    public void They_are_float32() => ErrorAssert.Throws(
        CheckpointErrorCode.ArchitectureMismatch,
        () => RotaryFactors.FindScale(GgufFile.Open(new MemorySource(new GgufBuilder().Tensor("rope_freqs.weight", GgufBuilder.F16, new byte[128], 64).Build())), 128, 500_000),
        "rope_freqs.weight");

    private static GgufFile File(float[] factors) => GgufFile.Open(new MemorySource(
        new GgufBuilder().Tensor("rope_freqs.weight", GgufBuilder.F32, MemoryMarshal.AsBytes(factors.AsSpan()).ToArray(), (ulong)factors.Length).Build()));
}
