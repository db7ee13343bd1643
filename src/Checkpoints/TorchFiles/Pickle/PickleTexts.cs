using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// Texts that a pickle has spelt out before. The metadata of a distributed checkpoint spells the name of a tensor out for each rank, because the ranks'
/// names are not the same objects; here, they become one.
/// </summary>
/// <param name="pickleLength">Bytes of the pickle.</param>
internal sealed class PickleTexts(int pickleLength)
{
    /// <summary>A pickle of few bytes should not pay for many texts.</summary>
    private const int BytesPerPlace = 512;

    private const int MaxPlaces = 1 << 16;
    private const int MaxLength = 256;

    // Each text has one place and may lose it to another: whoever makes them collide gets them twice, and nothing worse.
    private readonly string?[] _texts = new string?[BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(pickleLength / BytesPerPlace, 1, MaxPlaces))];

    /// <exception cref="DecoderFallbackException">It is no text in that encoding.</exception>
    public string Get(ReadOnlySpan<byte> bytes, Encoding encoding)
    {
        if (bytes.Length > MaxLength)
        {
            return encoding.GetString(bytes);
        }

        ref var known = ref _texts[Hash(bytes) & (uint)(_texts.Length - 1)];
        return known is not null && known.Length == bytes.Length && Ascii.Equals(bytes, known) ? known : known = encoding.GetString(bytes);
    }

    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong Multiplier = 0x9e3779b97f4a7c15;
        var hash = (ulong)bytes.Length;

        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            hash = BitOperations.RotateLeft((hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * Multiplier, 29);
        }

        foreach (var value in bytes)
        {
            hash = (hash ^ value) * Multiplier;
        }

        return (uint)((hash * Multiplier) >> 32);
    }
}
