namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Changes that know nothing of the format.</summary>
internal static class Bytes
{
    /// <summary>Numbers at which readers go wrong, in any width.</summary>
    private static readonly long[] Edges =
        [0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, int.MaxValue, uint.MaxValue, uint.MaxValue - 1L, 1L << 40, long.MaxValue, -1, long.MinValue];

    public static long Number(Random random) =>
        random.Next(3) == 0 ? random.NextInt64() >> random.Next(64) : Edges[random.Next(Edges.Length)] + random.Next(-2, 3);

    /// <summary>Puts a number into a field of a few bytes.</summary>
    public static void Put(byte[] file, int offset, int width, long value) => BitConverter.GetBytes(value).AsSpan(0, width).CopyTo(file.AsSpan(offset));

    /// <summary>A few changes here and there, or a cut, or another file's piece in the middle.</summary>
    public static byte[] Mutate(byte[] file, Random random)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            file = MutateOnce(file, random);
        }

        return file;
    }

    private static byte[] MutateOnce(byte[] file, Random random)
    {
        if (file.Length < sizeof(long))
        {
            return [.. file, (byte)random.Next(256)];
        }

        var (place, other) = (random.Next(file.Length), random.Next(file.Length));
        var length = Math.Min(1 << random.Next(12), file.Length - Math.Max(place, other));

        switch (random.Next(8))
        {
            case 0:
                file[place] ^= (byte)(1 << random.Next(8));
                return file;
            case 1:
                file[place] = (byte)random.Next(256);
                return file;
            case 2:
                Put(file, Math.Min(place, file.Length - sizeof(long)), 1 << random.Next(4), Number(random));
                return file;
            case 3:
                file.AsSpan(other, length).CopyTo(file.AsSpan(place));
                return file;
            case 4:
                return file[..place];
            case 5:
                return [.. file[..place], .. file[(place + length)..]];
            case 6:
                return [.. file[..place], .. file.AsSpan(other, length), .. file[place..]];
            default:
                var donor = Corpus.Files.Pick(random);
                var start = random.Next(donor.Length);
                return [.. file[..place], .. donor.AsSpan(start, Math.Min(length, donor.Length - start)), .. file[place..]];
        }
    }
}
