using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Tensors;

public class NonFiniteCounterTests
{
    /// <summary>Prints one letter for each number of a file, of which a complex element is two: NaN, infinite or finite.</summary>
    private const string Classify =
        """
        import sys, torch
        numbers = torch.frombuffer(bytearray(open(sys.argv[1], 'rb').read()), dtype=getattr(torch, sys.argv[2]))
        numbers = torch.view_as_real(numbers).flatten() if numbers.is_complex() else numbers
        flags = zip(torch.isnan(numbers).tolist(), torch.isinf(numbers).tolist())
        print(''.join('N' if nan else 'I' if infinite else 'F' for nan, infinite in flags))
        """;

    public static TheoryData<DType> FloatTypes =>
    [
        DType.Float32,
        DType.Float64,
        DType.Float16,
        DType.BFloat16,
        DType.Float8E4M3FN,
        DType.Float8E5M2,
        DType.Complex64,
        DType.Complex128,
    ];

    public static TheoryData<DType> OtherTypes => [.. Enum.GetValues<DType>().Except(FloatTypes.Select(row => row.Data)).Where(dtype => dtype != DType.Q8_0)];

    [External]
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Every_pattern_of_two_bytes_counts_as_in_PyTorch(DType dtype)
    {
        var data = MemoryMarshal.AsBytes<ushort>([.. Enumerable.Range(0, 1 << 16).Select(pattern => (ushort)pattern)]).ToArray();

        AssertCounts(AskPyTorch(data, dtype), data, dtype);
    }

    /// <summary>
    /// As "FP8 Formats for Deep Learning" (arXiv 2209.05433, table 1) defines them: E5M2 as IEEE 754 would, E4M3 with values
    /// in the highest binade too, all but one.
    /// </summary>
    [Theory]
    [InlineData(DType.Float8E4M3FN, 3)]
    [InlineData(DType.Float8E5M2, 2)]
    public void Every_pattern_of_one_byte_counts_as_defined(DType dtype, int mantissaBits)
    {
        var data = Enumerable.Range(0, 1 << 8).Select(pattern => (byte)pattern).ToArray();

        var classes = string.Concat(Enumerable.Range(0, 1 << 8).Select(pattern => Convert.ToString(pattern, 2).PadLeft(8, '0')).Select(bits =>
            (Exponent: bits[1..^mantissaBits], Mantissa: bits[^mantissaBits..]) switch
            {
                ("1111", "111") => 'N',
                ("11111", "00") => 'I',
                ("11111", _) => 'N',
                _ => 'F',
            }));

        AssertCounts(classes, data, dtype);
    }

    [External]
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Complex64)]
    [InlineData(DType.Complex128)]
    public void Longer_patterns_count_as_in_PyTorch(DType dtype)
    {
        var data = Patterns(dtype, 40_000);
        var classes = AskPyTorch(data, dtype);

        Assert.All("NIF", letter => Assert.InRange(classes.Count(other => other == letter), classes.Length / 20, classes.Length));
        AssertCounts(classes, data, dtype);
    }

    [Fact]
    public void Float32_counts_as_in_DotNet()
    {
        var data = Patterns(DType.Float32, 200_000);
        var numbers = MemoryMarshal.Cast<byte, float>(data).ToArray();

        Assert.Equal((numbers.Count(float.IsNaN), numbers.Count(float.IsInfinity)), Count(DType.Float32, data));
        Assert.Contains(numbers, float.IsSubnormal);
        Assert.Contains(numbers, number => number == 0 && float.IsNegative(number));
    }

    [Fact]
    public void Float64_counts_as_in_DotNet()
    {
        var data = Patterns(DType.Float64, 200_000);
        var numbers = MemoryMarshal.Cast<byte, double>(data).ToArray();

        Assert.Equal((numbers.Count(double.IsNaN), numbers.Count(double.IsInfinity)), Count(DType.Float64, data));
        Assert.Contains(numbers, double.IsSubnormal);
        Assert.Contains(numbers, number => number == 0 && double.IsNegative(number));
    }

    [Theory]
    [InlineData(0x7f7fffff, 0, 0)]
    [InlineData(0x7f800000, 0, 1)]
    [InlineData(0x7f800001, 1, 0)]
    [InlineData(0x7fc00000, 1, 0)]
    [InlineData(0x7fffffff, 1, 0)]
    [InlineData(0x00000000, 0, 0)]
    [InlineData(0x00000001, 0, 0)]
    public void The_sign_makes_no_difference(uint pattern, long nans, long infinities)
    {
        foreach (var sign in new[] { 0u, 1u << 31 })
        {
            var data = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(data, pattern | sign);

            Assert.Equal((nans, infinities), Count(DType.Float32, data));
        }
    }

    [Fact]
    public void Both_parts_of_a_complex_number_count()
    {
        Assert.Equal((1, 1), Count(DType.Complex64, MemoryMarshal.AsBytes<float>([float.NaN, float.NegativeInfinity]).ToArray()));
        Assert.Equal((2, 0), Count(DType.Complex128, MemoryMarshal.AsBytes<double>([double.NaN, double.NaN, 0, 1]).ToArray()));
    }

    [Theory]
    [MemberData(nameof(FloatTypes))]
    public void It_makes_no_difference_where_chunks_end_or_lie(DType dtype)
    {
        var random = new Random(2);
        var itemSize = dtype.GetItemSize();
        var data = Patterns(dtype, 10_000);
        var counter = new NonFiniteCounter(dtype);

        for (int place = 0, length; place < data.Length; place += length)
        {
            length = Math.Min(random.Next(40) * itemSize, data.Length - place);

            // Not aligned to the type, as are bytes that something precedes in a buffer.
            byte[] buffer = [0xff, .. data.AsSpan(place, length)];
            counter.Add(buffer.AsSpan(1));
        }

        Assert.Equal(Count(dtype, data), (counter.NaNs, counter.Infinities));
    }

    [Theory]
    [MemberData(nameof(FloatTypes))]
    public void Nothing_is_in_an_empty_chunk(DType dtype) => Assert.Equal((0, 0), Count(dtype, []));

    [Theory]
    [MemberData(nameof(OtherTypes))]
    public void Integers_are_finite(DType dtype)
    {
        Assert.Null(DTypeInfo.Of(dtype).Float);
        Assert.Equal((0, 0), Count(dtype, [.. Enumerable.Repeat((byte)0xff, 64), .. Patterns(DType.Float32, 64)]));
    }

    [Theory]
    [MemberData(nameof(FloatTypes))]
    public void A_type_with_anything_to_count_says_so(DType dtype) => Assert.NotNull(DTypeInfo.Of(dtype).Float);

    private static (long NaNs, long Infinities) Count(DType dtype, ReadOnlySpan<byte> data)
    {
        var counter = new NonFiniteCounter(dtype);
        counter.Add(data);
        return (counter.NaNs, counter.Infinities);
    }

    /// <summary>Compares every element by itself, then all of them, with a letter for each number.</summary>
    private static void AssertCounts(string classes, byte[] data, DType dtype)
    {
        var itemSize = dtype.GetItemSize();
        var numbersPerElement = classes.Length * itemSize / data.Length;

        for (var i = 0; i < data.Length / itemSize; i++)
        {
            var element = data.AsSpan(i * itemSize, itemSize);
            var expected = Letters(classes.AsSpan(i * numbersPerElement, numbersPerElement));
            Assert.True(expected == Count(dtype, element), $"{dtype} {Convert.ToHexString(element)}: {expected}");
        }

        Assert.Equal(Letters(classes), Count(dtype, data));

        static (long NaNs, long Infinities) Letters(ReadOnlySpan<char> letters) => (letters.Count('N'), letters.Count('I'));
    }

    private static string AskPyTorch(byte[] data, DType dtype)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["numbers"], data);
        return PyTorch.Ask(Classify, folder["numbers"], dtype.GetTorchName());
    }

    /// <summary>
    /// Random bits, of which the exponent is often all ones or all zeros and the mantissa often zero, or but for its first or last bit.
    /// </summary>
    private static byte[] Patterns(DType dtype, int elements)
    {
        var random = new Random(1);
        var (width, mantissaBits) = dtype switch
        {
            DType.Float64 or DType.Complex128 => (8, 52),
            DType.Float32 or DType.Complex64 => (4, 23),
            DType.Float16 => (2, 10),
            DType.BFloat16 => (2, 7),
            DType.Float8E5M2 => (1, 2),
            _ => (1, 3),
        };

        var mantissa = (1UL << mantissaBits) - 1;
        var exponent = (1UL << ((8 * width) - 1)) - 1 - mantissa;
        var data = new byte[elements * dtype.GetItemSize()];
        var bytes = new byte[8];

        for (var place = 0; place < data.Length; place += width)
        {
            random.NextBytes(bytes);
            var pattern = BinaryPrimitives.ReadUInt64LittleEndian(bytes);

            pattern = random.Next(3) switch
            {
                0 => pattern | exponent,
                1 => pattern & ~exponent,
                _ => pattern,
            };

            pattern = random.Next(4) switch
            {
                0 => pattern & ~mantissa,
                1 => (pattern & ~mantissa) | 1,
                2 => (pattern & ~mantissa) | ((mantissa + 1) >> 1),
                _ => pattern,
            };

            BinaryPrimitives.WriteUInt64LittleEndian(bytes, pattern);
            bytes.AsSpan(0, width).CopyTo(data.AsSpan(place));
        }

        return data;
    }
}
