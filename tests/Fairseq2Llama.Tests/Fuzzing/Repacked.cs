using System.IO.Compression;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>
/// Real archives taken apart, changed and put together again: with checksums and lengths that are right, so that what is wrong gets as far
/// as it can; or with records that are too many, lie in each other, or say less or more than the truth.
/// </summary>
internal static class Repacked
{
    private static readonly string[] Names = ["data.pkl", "model/data.pkl", "model/version", "model/constants.pkl", "model/data/0", "../../x", "/etc/x", "C:\\x", "\u001b[2J", ""];

    public static byte[] Make(Random random)
    {
        using var archive = new ZipArchive(new MemoryStream(Corpus.Archives.Pick(random)));
        var zip = new ZipBuilder();

        foreach (var entry in archive.Entries)
        {
            var data = Read(entry);
            zip.Add(entry.FullName, entry.Name == "data.pkl" && random.Next(4) > 0 ? PickleOpcodes.Mutate(data, random) : data);
        }

        if (random.Next(8) == 0)
        {
            zip.Add("a last record", new byte[random.Next(100)]);
        }

        var records = archive.Entries.Select(entry => zip[entry.FullName]).ToArray();

        for (var changes = random.Next(3); changes > 0; changes--)
        {
            Change(records[random.Next(records.Length)], records[random.Next(records.Length)], random);
        }

        zip.End64 = random.Next(8) == 0 ? new() : null;
        return zip.Build();
    }

    private static void Change(ZipBuilderRecord record, ZipBuilderRecord other, Random random)
    {
        switch (random.Next(9))
        {
            case 0:
                record.Deflate();
                break;
            case 1:
                record.Deflate();
                record.Length = (uint)Bytes.Number(random);
                break;
            case 2:
                record.ClaimMethod((ushort)Bytes.Number(random));
                break;
            case 3:
                record.Crc = random.Next(2) == 0 ? 0 : (uint)Bytes.Number(random);
                break;
            case 4:
                record.Name = other.Name;
                break;
            case 5:
                record.Name = Names[random.Next(Names.Length)];
                break;
            case 6:
                record.HeaderOffset = (uint)random.Next(4096);
                break;
            case 7:
                record.Length = record.StoredLength ??= (uint)Bytes.Number(random);
                break;
            default:
                // Sizes and place in 64 bits, the truth or any.
                record.CentralExtra = [1, 0, 16, 0, .. BitConverter.GetBytes((long)record.Length), .. BitConverter.GetBytes(random.Next(2) == 0 ? record.Length : Bytes.Number(random))];
                record.Length = uint.MaxValue;
                record.StoredLength = uint.MaxValue;
                break;
        }
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
