namespace Fairseq2Llama.Tensors;

/// <summary>The CRC-32 of two pieces together, of that of each.</summary>
internal static class Crc32Combination
{
    private const uint Polynomial = 0xEDB8_8320;

    /// <summary>The polynomial 1: the first bit stands for the highest power.</summary>
    private const uint One = 0x8000_0000;

    /// <summary>x to the power of 8 (a byte), of 16, of 32, and so on, each the square of the one before.</summary>
    private static readonly uint[] PowersOfBytes = MakePowers();

    /// <param name="first">The checksum of the first piece; 0 of nothing.</param>
    /// <param name="second">The checksum of what follows it.</param>
    /// <param name="secondLength">How many bytes follow.</param>
    public static uint Combine(uint first, uint second, long secondLength)
    {
        // What follows moves the remainder of the first piece up by so many bits (as crc32_combine of zlib does it).
        var shift = One;

        for (var (i, length) = (0, secondLength); length > 0; i++, length >>= 1)
        {
            shift = (length & 1) == 0 ? shift : Multiply(PowersOfBytes[i], shift);
        }

        return Multiply(shift, first) ^ second;
    }

    private static uint Multiply(uint left, uint right)
    {
        var product = 0u;

        for (; left != 0; left <<= 1)
        {
            product ^= (left & One) == 0 ? 0 : right;
            right = (right >> 1) ^ ((right & 1) == 0 ? 0 : Polynomial);
        }

        return product;
    }

    private static uint[] MakePowers()
    {
        var powers = new uint[63];
        powers[0] = One >> 8;

        for (var i = 1; i < powers.Length; i++)
        {
            powers[i] = Multiply(powers[i - 1], powers[i - 1]);
        }

        return powers;
    }
}
