using System.IO.Compression;
using System.Text;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// Makes zip archives field by field, from APPNOTE.TXT and not from the writer under test. Every field can be set to what
/// it should not be.
/// </summary>
internal sealed class ZipBuilder
{
    private readonly List<ZipBuilderRecord> _records = [];

    // What the end record claims, where that is not the truth.
    public ushort? EntryCount { get; set; }

    public uint? DirectoryLength { get; set; }

    public uint? DirectoryOffset { get; set; }

    public byte[] Comment { get; set; } = [];

    /// <summary>Whether ZIP64 end records are written, and what they claim.</summary>
    public ZipBuilderEnd64? End64 { get; set; }

    public ZipBuilderRecord this[string name] => _records.Single(record => record.Name == name);

    /// <summary>What torch.save writes for a pickle: the records that a reader needs, under a root folder.</summary>
    public static ZipBuilder TorchSave(byte[] pickle, params ReadOnlySpan<(string Key, byte[] Data)> storages) =>
        TorchSave("model/", pickle, storages);

    public static ZipBuilder TorchSave(string root, byte[] pickle, params ReadOnlySpan<(string Key, byte[] Data)> storages)
    {
        var zip = new ZipBuilder().Add($"{root}data.pkl", pickle);

        foreach (var (key, data) in storages)
        {
            zip.Add($"{root}data/{key}", data);
        }

        return zip.Add($"{root}version", "3\n"u8);
    }

    /// <summary>A dict without entries, saved.</summary>
    public static ZipBuilder EmptyDict() => TorchSave(new PickleBuilder().OpWith(Opcode.Proto, 2).Op(Opcode.EmptyDict).Stop());

    public ZipBuilder Add(string name, ReadOnlySpan<byte> data)
    {
        _records.Add(new ZipBuilderRecord(name, data));
        return this;
    }

    public byte[] Build()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);

        var offsets = new List<long>();

        foreach (var record in _records)
        {
            offsets.Add(stream.Position);
            record.WriteLocal(writer);
        }

        var directoryOffset = stream.Position;

        foreach (var (record, offset) in _records.Zip(offsets))
        {
            record.WriteCentral(writer, offset);
        }

        var directoryLength = stream.Position - directoryOffset;
        End64?.Write(writer, _records.Count, directoryLength, directoryOffset);

        writer.Write(0x06054b50u);
        writer.Write(0u); // disks
        writer.Write(EntryCount ?? (ushort)_records.Count);
        writer.Write(EntryCount ?? (ushort)_records.Count);
        writer.Write(DirectoryLength ?? (uint)directoryLength);
        writer.Write(DirectoryOffset ?? (uint)directoryOffset);
        writer.Write((ushort)Comment.Length);
        writer.Write(Comment);
        return stream.ToArray();
    }
}

/// <summary>One record. Fields of the central header are null while they say the truth.</summary>
internal sealed class ZipBuilderRecord
{
    public ZipBuilderRecord(string name, ReadOnlySpan<byte> data)
    {
        Name = name;
        Stored = data.ToArray();
        Length = (uint)data.Length;
        Crc = Crc32Of(data);
    }

    public string Name { get; set; }

    public ushort Flags { get; set; }

    public ushort Method { get; private set; }

    public uint Crc { get; set; }

    public uint Length { get; set; }

    public uint? StoredLength { get; set; }

    public uint? HeaderOffset { get; set; }

    public uint LocalSignature { get; set; } = 0x04034b50;

    /// <summary>What the local header says of its extra field's length.</summary>
    public ushort LocalExtraLength { get; set; }

    public byte[] CentralExtra { get; set; } = [];

    private byte[] Stored { get; set; }

    /// <summary>Only names another method; the data stays.</summary>
    public void ClaimMethod(ushort method) => Method = method;

    public void Deflate()
    {
        var stream = new MemoryStream();

        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal))
        {
            deflate.Write(Stored);
        }

        Stored = stream.ToArray();
        Method = 8;
    }

    public void WriteLocal(BinaryWriter writer)
    {
        writer.Write(LocalSignature);
        WriteCommon(writer);
        writer.Write(LocalExtraLength);
        writer.Write(Encoding.UTF8.GetBytes(Name));
        writer.Write(Stored);
    }

    public void WriteCentral(BinaryWriter writer, long headerOffset)
    {
        writer.Write(0x02014b50u);
        writer.Write((ushort)20); // made by
        WriteCommon(writer);
        writer.Write((ushort)CentralExtra.Length);
        writer.Write((ushort)0); // comment
        writer.Write((ushort)0); // disk
        writer.Write((ushort)0); // attributes
        writer.Write(0u);
        writer.Write(HeaderOffset ?? (uint)headerOffset);
        writer.Write(Encoding.UTF8.GetBytes(Name));
        writer.Write(CentralExtra);
    }

    private void WriteCommon(BinaryWriter writer)
    {
        writer.Write((ushort)20); // version needed
        writer.Write(Flags);
        writer.Write(Method);
        writer.Write(0x00210000u); // time and date
        writer.Write(Crc);
        writer.Write(StoredLength ?? (uint)Stored.Length);
        writer.Write(Length);
        writer.Write((ushort)Encoding.UTF8.GetByteCount(Name));
    }

    /// <summary>Bit by bit, so that it owes nothing to the library that the code under test uses.</summary>
    private static uint Crc32Of(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;

        foreach (var value in data)
        {
            crc ^= value;

            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320u);
            }
        }

        return ~crc;
    }
}

/// <summary>The ZIP64 end record and its locator; what is null says the truth.</summary>
internal sealed class ZipBuilderEnd64
{
    public ulong? EntryCount { get; set; }

    public ulong? DirectoryLength { get; set; }

    public ulong? DirectoryOffset { get; set; }

    public ulong? RecordOffset { get; set; }

    public uint RecordSignature { get; set; } = 0x06064b50;

    public void Write(BinaryWriter writer, int count, long directoryLength, long directoryOffset)
    {
        writer.Flush();
        var offset = (ulong)writer.BaseStream.Position;

        writer.Write(RecordSignature);
        writer.Write(44L);
        writer.Write(0x002d002du); // versions
        writer.Write(0L); // disks
        writer.Write(EntryCount ?? (ulong)count);
        writer.Write(EntryCount ?? (ulong)count);
        writer.Write(DirectoryLength ?? (ulong)directoryLength);
        writer.Write(DirectoryOffset ?? (ulong)directoryOffset);

        writer.Write(0x07064b50u);
        writer.Write(0u);
        writer.Write(RecordOffset ?? offset);
        writer.Write(1u);
    }
}
