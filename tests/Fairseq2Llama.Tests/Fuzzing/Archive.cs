using System.Buffers.Binary;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>Changes to the fields of a zip archive, each of which would rarely be hit by chance.</summary>
internal static class Archive
{
    private const uint Local = 0x04034b50;
    private const uint Central = 0x02014b50;
    private const uint End = 0x06054b50;
    private const uint End64 = 0x06064b50;
    private const uint Locator64 = 0x07064b50;

    // Offset and width of each field after the signature, as APPNOTE.TXT has them.
    private static readonly Dictionary<uint, (int Offset, int Width)[]> Fields = new()
    {
        [Local] = [(4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 1)],
        [Central] = [(4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (36, 2), (38, 4), (42, 4), (46, 1)],
        [End] = [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)],
        [End64] = [(4, 8), (12, 2), (14, 2), (16, 4), (20, 4), (24, 8), (32, 8), (40, 8), (48, 8)],
        [Locator64] = [(4, 4), (8, 8), (16, 4)],
    };

    public static byte[] Mutate(byte[] file, Random random)
    {
        var headers = FindHeaders(file);

        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var header = headers[random.Next(headers.Count)];
            var fields = Fields[BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(header))];
            var (offset, width) = fields[random.Next(fields.Length)];

            // Half of the time what another header has there, which is nearer to the truth than any number.
            var other = headers[random.Next(headers.Count)];
            var value = random.Next(2) == 0 ? Bytes.Number(random) : ReadField(file, other + offset, width);
            Bytes.Put(file, header + offset, width, value);
        }

        return file;
    }

    private static long ReadField(byte[] file, int offset, int width)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        var start = Math.Min(offset, file.Length - width);
        file.AsSpan(start, width).CopyTo(value);
        return BinaryPrimitives.ReadInt64LittleEndian(value);
    }

    private static List<int> FindHeaders(byte[] file)
    {
        var headers = new List<int>();

        for (var i = 0; i <= file.Length - 22; i++)
        {
            if (file[i] == (byte)'P' && Fields.TryGetValue(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(i)), out var fields)
                && i + fields[^1].Offset + fields[^1].Width <= file.Length)
            {
                headers.Add(i);
            }
        }

        return headers;
    }
}
