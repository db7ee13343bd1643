using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

/// <summary>
/// Q8_0 to the bit as quants.py of gguf-py has it: the hashes and bytes are those of quantize() and dequantize() of llama.cpp b9371 (2026-05-27) with NumPy 1.24.2 on x86-64, for
/// the numbers that <see cref="Draw"/> gives there as well. NaN has one pattern here, as which one comes out depends on the processor.
/// </summary>
public class Q80Tests
{
    private const int Blocks = 4096, Count = 32 * Blocks;

    public static TheoryData<string, string> Inputs => new()
    {
        { nameof(AnyBits), "eee01dd6fca6fb3029c3b84f03ee728fe9a3b4340ab9c5dd24d6cbb16bc6fea4" },
        { nameof(OneExponent), "fd08c85efed6389243ca7804f58c337b0f8e0b85f51bbb31b24c538d3ecb5f5b" },
        { nameof(NearExponents), "0f002884969a43fc03b69b7f8468b015380d3235a27620481b4535a35447aefc" },
        { nameof(Halves), "cc528bc078150094e227f67e34f8a9447b5db75cf268467323e2cd1b513bbf11" },
        { nameof(Subnormals), "cd248e1cc2c0a9b30154d49ca21c8cbe35098927e06f6411b863bafdb5ce0c15" },
    };

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Quantizes_as_gguf_py_does(string input, string sha256)
    {
        var numbers = input switch
        {
            nameof(AnyBits) => AnyBits(),
            nameof(OneExponent) => OneExponent(),
            nameof(NearExponents) => NearExponents(),
            nameof(Halves) => Halves(),
            _ => Subnormals(),
        };

        Assert.Equal(sha256, Hash(WithoutPayloads(Cast(DType.Float32, MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray(), DType.Q8_0))));
    }

    /// <summary>The converter makes float32 of them first, which gives the same numbers.</summary>
    [Theory]
    [InlineData(DType.Float16, "ece7116d495131c92bfb073ca5f9975e8bd89c537a2b053126c0a6749429b6b9")]
    [InlineData(DType.BFloat16, "9cea1412f94a54d0dbed7d2820340d7d99888298cfbc83e11ea0bc5408a75813")]
    [InlineData(DType.Float64, "551e9327e153d3e409467ad81002e9bb49adef5ca8313eb3740a1c69d52b74e6")]
    public void Quantizes_numbers_of_each_type(DType dtype, string sha256)
    {
        var patterns = Draw(6, Count);

        byte[] numbers = dtype switch
        {
            // None that is infinite or NaN.
            DType.Float16 => [.. patterns.Select(bits => (ushort)(bits >> 16)).SelectMany(bits => BitConverter.GetBytes((bits & 0x7c00) == 0x7c00 ? (ushort)(bits & 0x83ff) : bits))],
            DType.BFloat16 => [.. patterns.SelectMany(bits => BitConverter.GetBytes((ushort)(bits >> 16)))],
            _ => [.. patterns.SelectMany(bits => BitConverter.GetBytes((bits - 2147483648.0) / 3))],
        };

        Assert.Equal(sha256, Hash(WithoutPayloads(Cast(dtype, numbers, DType.Q8_0))));
    }

    public static TheoryData<float[], string> EdgeCases => new()
    {
        { [], "0000" + Zeros(32) },
        { [-0f], "0000" + Zeros(32) },
        { [127, 0.5f, 1.5f, -0.5f, -2.5f, 0.49999997f], "003c7f0102fffd" + Zeros(27) },
        { [1, 2, float.NaN, 4], "007e" + Zeros(32) },
        { [1, 2, float.PositiveInfinity, 4], "007c" + Zeros(32) },
        { [float.NegativeInfinity], "007c" + Zeros(32) },
        { [float.PositiveInfinity, float.NaN], "007e" + Zeros(32) },

        // The scale is more than float16 can hold.
        { [9e6f, 1, 1], "007c7f" + Zeros(31) },
        { [float.MaxValue, float.MinValue], "007c7f81" + Zeros(30) },

        // It is less, and then so small that it has no reciprocal.
        { [1e-30f, -1e-30f], "00007f81" + Zeros(30) },
        { [3.8e-37f], "00007f" + Zeros(31) },
        { [3.7e-37f], "0000" + Zeros(32) },
        { [3e-38f, 1e-38f], "0000" + Zeros(32) },
        { [1e-42f, 5e-43f], "0000" + Zeros(32) },
        { [float.Epsilon], "0000" + Zeros(32) },
    };

    [Theory]
    [MemberData(nameof(EdgeCases))]
    public void Edge_cases(float[] numbers, string expected)
    {
        Array.Resize(ref numbers, 32);

        Assert.Equal(expected, Convert.ToHexStringLower(Cast(DType.Float32, MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray(), DType.Q8_0)));
    }

    /// <summary>Of any bytes: also scales that are infinite, NaN, negative or subnormal.</summary>
    [Fact]
    public void Dequantizes_as_gguf_py_does()
    {
        byte[] blocks = [.. Draw(7, Blocks * 34).Select(bits => (byte)(bits >> 24))];
        var numbers = MemoryMarshal.Cast<byte, float>(Cast(DType.Q8_0, blocks, DType.Float32)).ToArray();

        Assert.Equal(148, numbers.Chunk(32).Count(block => block.Any(float.IsNaN)));
        uint[] patterns = [.. numbers.Select(number => float.IsNaN(number) ? 0x7fc0_0000 : BitConverter.SingleToUInt32Bits(number))];
        Assert.Equal("23a2af3f7cb373538b8663b2123bc592e069406893fb79ba0502cda5803ef0ff", Hash(MemoryMarshal.AsBytes(patterns.AsSpan())));
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Dequantizes_by_way_of_float32(DType dtype)
    {
        var blocks = GgufBuilder.MakeData(GgufBuilder.Q8_0, Count, new Random(8));

        Assert.Equal(Cast(DType.Float32, Cast(DType.Q8_0, blocks, DType.Float32), dtype), Cast(DType.Q8_0, blocks, dtype));
    }

    /// <summary>What was quantized once loses no more.</summary>
    [Fact]
    public void Is_exact_for_what_it_gave()
    {
        // The largest of a block must be 127, as it is wherever float32 was quantized, and the scale have few digits, so that products of it are exact.
        var blocks = Cast(DType.Float32, [.. Enumerable.Range(0, Count).SelectMany(i => BitConverter.GetBytes(i % 32 == 0 ? 127f : (i % 255) - 127f))], DType.Q8_0);

        Assert.Equal(blocks, Cast(DType.Float32, Cast(DType.Q8_0, blocks, DType.Float32), DType.Q8_0));
    }

    [Theory]
    [InlineData(DType.Float32, 1)]
    [InlineData(DType.Float32, 127)]
    [InlineData(DType.Float32, 4097)]
    [InlineData(DType.BFloat16, 63)]
    [InlineData(DType.Float16, 65)]
    [InlineData(DType.Float64, 255)]
    [InlineData(DType.Q8_0, 1)]
    [InlineData(DType.Q8_0, 33)]
    [InlineData(DType.Q8_0, 35)]
    public void Blocks_may_be_torn(DType dtype, int chunk)
    {
        const int Few = 32 * 300;
        var (source, to) = dtype == DType.Q8_0
            ? (GgufBuilder.MakeData(GgufBuilder.Q8_0, Few, new Random(9)), DType.Float32)
            : (Cast(DType.Float32, GgufBuilder.MakeData(GgufBuilder.F32, Few, new Random(9)), dtype == DType.Float64 ? DType.Float32 : dtype), DType.Q8_0);
        source = dtype == DType.Float64 ? [.. MemoryMarshal.Cast<byte, float>(source).ToArray().SelectMany(number => BitConverter.GetBytes((double)number))] : source;
        using var result = new MemoryStream();
        var sink = new TransformSink(new ElementCast(dtype, to), piece => result.Write(piece));

        foreach (var piece in source.Chunk(chunk))
        {
            sink.Write(piece);
        }

        sink.Dispose();
        Assert.Equal(Cast(dtype, source, to), result.ToArray());
    }

    /// <summary>A scale that float16 can't hold makes a block of Inf of finite numbers, each of which counts.</summary>
    [Fact]
    public void Overflows_are_counted()
    {
        float[] numbers = [.. Enumerable.Repeat(1f, 32), 9e6f, .. Enumerable.Repeat(1f, 31), float.PositiveInfinity, .. Enumerable.Repeat(1f, 31)];
        var cast = new ElementCast(DType.Float32, DType.Q8_0);

        cast.Transform(MemoryMarshal.AsBytes(numbers.AsSpan()), new byte[3 * 34]);

        Assert.True(cast.Overflows > 0, $"{cast.Overflows}");
    }

    private static float[] AnyBits() => Of(Draw(1, Count));

    /// <summary>Each exponent that there is, one in a block.</summary>
    private static float[] OneExponent() => Of(Draw(2, Count).Select((bits, i) => (bits & 0x807f_ffff) | ((uint)(i / 32 % 255) << 23)));

    /// <summary>Numbers of a block that are up to 128 times as large as others.</summary>
    private static float[] NearExponents() => Of(Draw(3, Count).Select((bits, i) => (bits & 0x807f_ffff) | ((uint)(i / 32 % 247) + ((bits >> 8) & 7)) << 23));

    /// <summary>Multiples of a half, and what lies next to them, in units of the block.</summary>
    private static float[] Halves() =>
    [
        .. Draw(4, Count).Select((bits, i) =>
        {
            var half = ((bits >> 8) % 509 / 2f) - 127;
            var near = half == 0 ? 0 : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(half) + (bits >> 20) % 3 - 1);
            return i % 32 == 0 ? 127 : Math.Clamp(near, -127, 127);
        }),
    ];

    private static float[] Subnormals() => Of(Draw(5, Count).Select(bits => bits & 0x800f_ffff));

    /// <summary>The linear congruential generator of Numerical Recipes.</summary>
    private static IEnumerable<uint> Draw(uint seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return seed = unchecked((seed * 1664525) + 1013904223);
        }
    }

    private static float[] Of(IEnumerable<uint> patterns) => [.. patterns.Select(BitConverter.UInt32BitsToSingle)];

    private static byte[] WithoutPayloads(byte[] blocks)
    {
        for (var block = 0; block < blocks.Length; block += 34)
        {
            if (Half.IsNaN(BitConverter.ToHalf(blocks, block)))
            {
                (blocks[block], blocks[block + 1]) = (0, 0x7e);
            }
        }

        return blocks;
    }

    private static string Zeros(int count) => new('0', 2 * count);

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Cast(DType from, byte[] source, DType to)
    {
        var target = new byte[DTypeInfo.Of(to).LengthOf(DTypeInfo.Of(from).ElementsIn(source.Length))];
        ThirdParty.TensorMath.Cast(from, source, to, target);
        return target;
    }
}
