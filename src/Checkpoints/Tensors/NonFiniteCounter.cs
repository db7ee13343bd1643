using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Counts what training that diverged leaves behind: NaN and infinity, in tensor data that streams by. Finds none in types whose
/// <see cref="DTypeInfo.Float"/> is null; of a complex number it counts each part.
/// </summary>
internal sealed class NonFiniteCounter(DType dtype)
{
    private readonly DTypeInfo _info = DTypeInfo.Of(dtype);

    /// <summary>Of either sign, signalling or quiet, with any payload.</summary>
    public long NaNs { get; private set; }

    /// <summary>Of either sign.</summary>
    public long Infinities { get; private set; }

    /// <param name="chunk">Whole elements, or blocks of a quantized type, whose numbers are no more finite than their scale; little-endian as is every machine that PowerShell runs on.</param>
    public void Add(ReadOnlySpan<byte> chunk)
    {
        Debug.Assert(chunk.Length % _info.BytesPerBlock == 0, "an element is torn");

        if (_info.Float is not { } format)
        {
            return;
        }

        if (_info.IsQuantized)
        {
            CountScales(chunk, format);
            return;
        }

        switch (_info.SwapUnit)
        {
            case 1:
                Count<byte>(chunk, format);
                break;
            case 2:
                Count<ushort>(chunk, format);
                break;
            case 4:
                Count<uint>(chunk, format);
                break;
            case 8:
                Count<ulong>(chunk, format);
                break;
        }
    }

    private void CountScales(ReadOnlySpan<byte> blocks, FloatFormat format)
    {
        for (; !blocks.IsEmpty; blocks = blocks[_info.BytesPerBlock..])
        {
            var magnitude = BinaryPrimitives.ReadUInt16LittleEndian(blocks) & 0x7fffu;

            if (magnitude > format.LargestFinite + 1)
            {
                NaNs += _info.ElementsPerBlock;
            }
            else if (magnitude > format.LargestFinite)
            {
                Infinities += _info.ElementsPerBlock;
            }
        }
    }

    private void Count<T>(ReadOnlySpan<byte> chunk, FloatFormat format)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        // Without the sign bit, patterns compare like the values they stand for: finite ones, then infinity, then NaNs.
        var allButSign = T.AllBitsSet >>> 1;
        var largestFinite = T.CreateChecked(format.LargestFinite);
        var largestNotNaN = format.HasInfinity ? largestFinite + T.One : largestFinite;
        var (nonFinite, nans) = (0, 0);
        var patterns = MemoryMarshal.Cast<byte, T>(chunk);
        var vectors = MemoryMarshal.Cast<T, Vector256<T>>(patterns);

        foreach (var vector in vectors)
        {
            var magnitudes = vector & Vector256.Create(allButSign);
            var found = Vector256.GreaterThan(magnitudes, Vector256.Create(largestFinite));

            // Mostly there are none, and to count is what takes the time.
            if (found != Vector256<T>.Zero)
            {
                nonFinite += BitOperations.PopCount(found.ExtractMostSignificantBits());
                nans += BitOperations.PopCount(Vector256.GreaterThan(magnitudes, Vector256.Create(largestNotNaN)).ExtractMostSignificantBits());
            }
        }

        foreach (var pattern in patterns[(vectors.Length * Vector256<T>.Count)..])
        {
            var magnitude = pattern & allButSign;
            nonFinite += magnitude > largestFinite ? 1 : 0;
            nans += magnitude > largestNotNaN ? 1 : 0;
        }

        NaNs += nans;
        Infinities += nonFinite - nans;
    }
}
