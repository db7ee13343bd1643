using System.Runtime.InteropServices;
using System.Text.Json;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

/// <summary>What vectors could get wrong: their ends, what is not finite among them, and numbers that are rounded twice or lie on an edge.</summary>
public class EdgeCaseTests
{
    /// <summary>Around the lengths of vectors and blocks.</summary>
    public static TheoryData<int> Lengths => [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 2047, 2048, 2049, 4096, 5001];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Every_number_is_measured_whatever_their_count(int length)
    {
        var numbers = Numbers(length, 3);
        numbers.AsSpan(0, length / 3).Clear();

        var moments = ThirdParty.TensorMath.Measure(DType.Float32, Bytes(numbers));

        Assert.Equal((length, length / 3), (moments.Count, moments.Zeros));
        Assert.Equal(numbers.Select(number => (double)number).DefaultIfEmpty(double.PositiveInfinity).Min(), moments.Min);
        Assert.Equal(numbers.Select(number => (double)number).DefaultIfEmpty(double.NegativeInfinity).Max(), moments.Max);
        var squares = numbers.Sum(number => (double)number * number);
        Assert.Equal(squares, moments.Squares, 1e-12 * Math.Max(1, squares));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Every_pair_is_compared_whatever_their_count(int length)
    {
        var (left, right) = (Numbers(length, 3), Numbers(length, 4));

        var sums = ThirdParty.TensorMath.Compare(DType.Float32, Bytes(left), DType.Float64, Bytes([.. right.Select(number => (double)number)]));

        Assert.Equal((length, length), (sums.Count, sums.Differing));
        Assert.Equal(left.Zip(right, (one, other) => Math.Abs((double)one - other)).DefaultIfEmpty().Max(), sums.Max);
        Assert.Equal(left.Zip(right, (one, other) => (double)one * other).Sum(), sums.Dot, 1e-9);
    }

    /// <summary>Each is compared in a way of its own where bits are the same.</summary>
    [Theory]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    [InlineData(DType.Float32)]
    public void What_is_the_same_has_the_sums_that_it_has_beside_another_type(DType dtype)
    {
        foreach (var length in Lengths.Select(row => row.Data))
        {
            var elements = new byte[length * dtype.GetItemSize()];
            ThirdParty.TensorMath.Cast(DType.Float64, Bytes([.. Numbers(length, 3).Select(number => (double)number)]), dtype, elements);
            var wide = new float[length];
            ThirdParty.TensorMath.Cast(dtype, elements, DType.Float32, MemoryMarshal.AsBytes(wide.AsSpan()));

            var same = ThirdParty.TensorMath.Compare(dtype, elements, dtype, elements.ToArray());
            var other = ThirdParty.TensorMath.Compare(dtype, elements, DType.Float64, Bytes([.. wide.Select(number => (double)number)]));

            Assert.Equal((length, 0, 0, 0), (same.Count, same.Differing, same.Max, same.Sum));
            Assert.Equal(other.Dot, same.Dot, 1e-12 * Math.Max(1, other.Dot));
            Assert.Equal((same.Dot, same.Dot), (same.ReferenceSquares, same.DifferenceSquares));
        }
    }

    [Fact]
    public void NaN_is_the_same_as_NaN_and_infinitely_far_from_the_rest()
    {
        double[] left = [1, double.NaN, double.NaN, double.PositiveInfinity, double.PositiveInfinity, 2, 0, 5];
        double[] right = [1, double.NaN, 3, double.PositiveInfinity, double.NegativeInfinity, 2.5, -0d, 5];

        var sums = ThirdParty.TensorMath.Compare(DType.Float64, Bytes(left), DType.Float64, Bytes(right));

        Assert.Equal((8, 3, double.PositiveInfinity), (sums.Count, sums.Differing, sums.Max));
    }

    [External]
    [Fact]
    public void Float64_is_rounded_twice_as_PyTorch_does_it()
    {
        // Just above what lies between two, and float32 does not see by how much.
        double[] numbers = [1 + Math.ScaleB(1, -11) + Math.ScaleB(1, -40), 1 + Math.ScaleB(1, -8) + Math.ScaleB(1, -40), 65519.99999999];
        var expected = PyTorch.Ask(
            "import json, sys, torch; t = torch.tensor(json.loads(sys.argv[1]), dtype=torch.float64); print(t.half().view(torch.int16).tolist(), t.bfloat16().view(torch.int16).tolist())",
            JsonSerializer.Serialize(numbers));

        Assert.Equal(expected, $"[{string.Join(", ", Cast(numbers, DType.Float16))}] [{string.Join(", ", Cast(numbers, DType.BFloat16))}]");
    }

    /// <summary>A tenth of 0.3 is no number of binary digits, and what lies on an edge is rounded to one side or the other.</summary>
    [External]
    [Fact]
    public void Numbers_on_the_edge_of_two_bins_fall_where_PyTorch_puts_them()
    {
        double[] numbers = [.. Enumerable.Range(0, 101).Select(tenth => tenth / 100d)];
        var bins = new long[10];
        ThirdParty.TensorMath.CountBins(DType.Float64, Bytes(numbers), 0, 1, bins);

        var expected = PyTorch.Ask(
            "import json, sys, torch; print(torch.histc(torch.tensor(json.loads(sys.argv[1]), dtype=torch.float64), 10, 0, 1).long().tolist())",
            JsonSerializer.Serialize(numbers));

        Assert.Equal(expected, $"[{string.Join(", ", bins)}]");
    }

    [Theory]
    [InlineData(DType.Float8E4M3FN)]
    [InlineData(DType.Float8E5M2)]
    public void All_patterns_of_8_bits_are_what_they_are_defined_to_be(DType dtype)
    {
        var patterns = Enumerable.Range(0, 256).Select(bits => (byte)bits).ToArray();
        var numbers = new float[256];
        ThirdParty.TensorMath.Cast(dtype, patterns, DType.Float32, MemoryMarshal.AsBytes(numbers.AsSpan()));

        // The one is the upper half of a float16; the other has no infinity, and one NaN of either sign.
        Assert.All(patterns, bits => Assert.Equal(
            dtype == DType.Float8E5M2 ? (float)BitConverter.UInt16BitsToHalf((ushort)(bits << 8))
            : (bits & 0x7f) == 0x7f ? float.NaN
            : (bits < 128 ? 1 : -1) * ((bits & 0x78) == 0 ? (bits & 7) / 512f : MathF.ScaleB(8 + (bits & 7), ((bits >> 3) & 15) - 10)),
            numbers[bits]));
    }

    private static short[] Cast(double[] numbers, DType dtype)
    {
        var result = new short[numbers.Length];
        ThirdParty.TensorMath.Cast(DType.Float64, Bytes(numbers), dtype, MemoryMarshal.AsBytes(result.AsSpan()));
        return result;
    }

    private static float[] Numbers(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 20) - 10)];
    }

    private static byte[] Bytes<T>(T[] numbers)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(numbers).ToArray();
}
