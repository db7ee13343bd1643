using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Arithmetic;

/// <summary>Casts beside those of real PyTorch, bit by bit.</summary>
public class CastTests
{
    /// <summary>Casts a file of numbers, NaN with any payload becoming all ones, and prints how many finite ones became infinite.</summary>
    private const string CastByPyTorch =
        """
        import sys, torch
        source, target, integer = (getattr(torch, name) for name in (sys.argv[2], sys.argv[3], sys.argv[4]))
        numbers = torch.frombuffer(bytearray(open(sys.argv[1], 'rb').read()), dtype=source)
        cast = numbers.to(target)
        bits = cast.view(integer).masked_fill(cast.isnan(), -1)
        open(sys.argv[1] + '.cast', 'wb').write(bits.numpy().tobytes())
        print((numbers.isfinite() & cast.isinf()).sum().item())
        """;

    public static TheoryData<DType, DType> Pairs => new(
        from source in (DType[])[DType.Float32, DType.Float16, DType.BFloat16, DType.Float64]
        from target in (DType[])[DType.Float32, DType.Float16, DType.BFloat16]
        where source != target
        select (source, target));

    [External]
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Are_those_of_PyTorch(DType source, DType target)
    {
        using var folder = new TempFolder();
        var numbers = Numbers(source);
        File.WriteAllBytes(folder["numbers"], numbers);
        var overflows = PyTorch.Ask(
            CastByPyTorch, folder["numbers"], source.GetTorchName(), target.GetTorchName(), target.GetItemSize() == 2 ? "int16" : "int32");

        var cast = new ElementCast(source, target);
        var result = new byte[numbers.Length / source.GetItemSize() * target.GetItemSize()];
        cast.Transform(numbers, result);

        Assert.Equal(overflows, cast.Overflows.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(File.ReadAllBytes(folder["numbers.cast"]), WithoutPayloads(target, result));
    }

    [Fact]
    public void Of_a_chunk_do_not_depend_on_where_it_was_cut()
    {
        var numbers = Numbers(DType.Float32);
        var whole = new byte[numbers.Length / 2];
        ThirdParty.TensorMath.Cast(DType.Float32, numbers, DType.BFloat16, whole);

        using var pieces = new MemoryStream();
        using var sink = new TransformSink(new ElementCast(DType.Float32, DType.BFloat16), chunk => pieces.Write(chunk));

        foreach (var chunk in numbers.Chunk(4 * 1021))
        {
            sink.Write(chunk);
        }

        Assert.Equal(WithoutPayloads(DType.BFloat16, whole), WithoutPayloads(DType.BFloat16, pieces.ToArray()));
    }

    /// <summary>All patterns of 16 bits, alone or as the upper half of wider ones beside what lies exactly between two, and random ones.</summary>
    private static byte[] Numbers(DType dtype)
    {
        var random = new Random(11);
        var patterns = Enumerable.Range(0, 1 << 16).Select(bits => (ulong)bits);

        return dtype.GetItemSize() switch
        {
            2 => Bytes<ushort>(patterns.Select(bits => (ushort)bits)),
            4 => Bytes<uint>(patterns.SelectMany(bits => new[] { 0u, 0x7fffu, 0x8000u, 0x8001u, (uint)random.Next(1 << 16) }.Select(low => ((uint)bits << 16) | low))
                .Concat(Ties().Select(BitConverter.SingleToUInt32Bits))),
            _ => Bytes<ulong>(patterns.SelectMany(bits => new[] { bits << 48, (bits << 48) | (ulong)random.NextInt64(1L << 48) })
                .Concat(Ties().Select(number => BitConverter.DoubleToUInt64Bits(number)))
                .Concat(patterns.Select(_ => BitConverter.DoubleToUInt64Bits((float)random.NextDouble() * 1e5 * (1 + 1e-9))))),
        };
    }

    /// <summary>What lies exactly between two numbers of 16 bits, and next to it; around the largest finite ones, too.</summary>
    private static IEnumerable<float> Ties()
    {
        for (var bits = 0; bits < 0x7bff; bits += 7)
        {
            var between = ((float)BitConverter.Int16BitsToHalf((short)bits) + (float)BitConverter.Int16BitsToHalf((short)(bits + 1))) / 2;
            yield return between;
            yield return -MathF.BitIncrement(between);
            yield return MathF.BitDecrement(between);
        }

        foreach (var number in new[] { 65504f, 65519.996f, 65520f, 65536f, 3.3895314e38f, 3.3961776e38f, float.MaxValue })
        {
            yield return number;
            yield return -number;
        }
    }

    private static byte[] Bytes<T>(IEnumerable<T> numbers)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(numbers.ToArray()).ToArray();

    /// <summary>Which NaN it becomes differs between versions of PyTorch and within a tensor.</summary>
    private static byte[] WithoutPayloads(DType dtype, byte[] numbers)
    {
        var size = dtype.GetItemSize();

        for (var at = 0; at < numbers.Length; at += size)
        {
            var element = numbers.AsSpan(at, size);
            var isNaN = dtype switch
            {
                DType.Float32 => float.IsNaN(BinaryPrimitives.ReadSingleLittleEndian(element)),
                DType.Float16 => Half.IsNaN(BinaryPrimitives.ReadHalfLittleEndian(element)),
                _ => (BinaryPrimitives.ReadUInt16LittleEndian(element) & 0x7fff) > 0x7f80,
            };

            if (isNaN)
            {
                element.Fill(0xff);
            }
        }

        return numbers;
    }
}
