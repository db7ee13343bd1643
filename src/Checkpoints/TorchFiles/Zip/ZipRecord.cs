using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>
/// A stored record of an archive to be written: where it lies and what its headers say. As in PyTorch's archives, its checksum follows the data, so
/// that an archive can be written from front to back.
/// </summary>
internal sealed class ZipRecord
{
    private const ushort VersionNeeded = 45; // ZIP64
    private const ushort FirstDosDate = 0x21; // 1980-01-01, so that the same input gives the same file

    private readonly byte[] _name;

    /// <param name="name">Full name within the archive.</param>
    /// <param name="headerOffset">Where the record begins.</param>
    /// <param name="length">Bytes of its data.</param>
    /// <param name="placement">Where the data may lie.</param>
    public ZipRecord(string name, long headerOffset, long length, DataPlacement placement)
    {
        _name = Encoding.UTF8.GetBytes(name);
        HeaderOffset = headerOffset;
        Length = length;

        // The padding is an extra field, which takes 4 bytes even when it is empty.
        DataOffset = placement.NextFrom(headerOffset + ZipFormat.LocalHeaderSize + _name.Length + LocalZip64Size + ExtraHeaderSize);
    }

    public long HeaderOffset { get; }

    public long DataOffset { get; }

    public long Length { get; }

    public long DataEnd => DataOffset + Length;

    public long End => DataEnd + (IsLong ? ZipFormat.Zip64DescriptorSize : ZipFormat.DescriptorSize);

    public int CentralHeaderLength => ZipFormat.CentralHeaderSize + _name.Length + CentralZip64Size;

    private const int ExtraHeaderSize = 4;

    private bool IsLong => Length >= ZipFormat.In64Bits;

    private bool IsFar => HeaderOffset >= ZipFormat.In64Bits;

    private int LocalZip64Size => IsLong ? ExtraHeaderSize + 16 : 0;

    private int CentralZip64Size => IsLong || IsFar ? ExtraHeaderSize + (IsLong ? 16 : 0) + (IsFar ? 8 : 0) : 0;

    public byte[] LocalHeader()
    {
        var header = new byte[DataOffset - HeaderOffset];
        var writer = new FieldWriter(header);

        writer.UInt32(ZipFormat.LocalHeaderSignature);
        WriteCommonFields(ref writer, crc: 0, length: 0);
        var extraLength = header.Length - ZipFormat.LocalHeaderSize - _name.Length;
        writer.UInt16((ushort)extraLength);
        writer.Bytes(_name);

        if (IsLong)
        {
            writer.UInt16(ZipFormat.Zip64ExtraId);
            writer.UInt16(16);
            writer.Int64(Length);
            writer.Int64(Length);
        }

        var padding = extraLength - LocalZip64Size - ExtraHeaderSize;
        writer.UInt16(ZipFormat.PaddingExtraId);
        writer.UInt16((ushort)padding);
        header.AsSpan(header.Length - padding).Fill((byte)'Z');
        return header;
    }

    public byte[] Descriptor(uint crc)
    {
        var descriptor = new byte[End - DataEnd];
        var writer = new FieldWriter(descriptor);

        writer.UInt32(ZipFormat.DescriptorSignature);
        writer.UInt32(crc);

        if (IsLong)
        {
            writer.Int64(Length);
            writer.Int64(Length);
        }
        else
        {
            writer.UInt32((uint)Length);
            writer.UInt32((uint)Length);
        }

        return descriptor;
    }

    public byte[] CentralHeader(uint crc)
    {
        var header = new byte[CentralHeaderLength];
        var writer = new FieldWriter(header);

        writer.UInt32(ZipFormat.CentralHeaderSignature);
        writer.UInt16(VersionNeeded); // made by: MS-DOS, which has no permissions to tell
        WriteCommonFields(ref writer, crc, Narrow(Length));
        writer.UInt16((ushort)CentralZip64Size);
        writer.Skip(2 + 2 + 2 + 4); // comment, disk, attributes
        writer.UInt32(Narrow(HeaderOffset));
        writer.Bytes(_name);

        if (IsLong || IsFar)
        {
            writer.UInt16(ZipFormat.Zip64ExtraId);
            writer.UInt16((ushort)(CentralZip64Size - ExtraHeaderSize));

            if (IsLong)
            {
                writer.Int64(Length);
                writer.Int64(Length);
            }

            if (IsFar)
            {
                writer.Int64(HeaderOffset);
            }
        }

        return header;
    }

    /// <summary>What follows the last central header. As PyTorch does, the ZIP64 records are written whether needed or not.</summary>
    public static byte[] DirectoryEnd(long offset, long length, long count)
    {
        var end = new byte[ZipFormat.Zip64EndSize + ZipFormat.Zip64LocatorSize + ZipFormat.EndSize];
        var writer = new FieldWriter(end);

        writer.UInt32(ZipFormat.Zip64EndSignature);
        writer.Int64(ZipFormat.Zip64EndSize - 12);
        writer.UInt16(VersionNeeded);
        writer.UInt16(VersionNeeded);
        writer.Skip(4 + 4); // disks
        writer.Int64(count);
        writer.Int64(count);
        writer.Int64(length);
        writer.Int64(offset);

        writer.UInt32(ZipFormat.Zip64LocatorSignature);
        writer.Skip(4); // disk
        writer.Int64(offset + length);
        writer.UInt32(1); // number of disks

        var narrowCount = (ushort)Math.Min(count, ZipFormat.EntriesIn64Bits);
        writer.UInt32(ZipFormat.EndSignature);
        writer.Skip(2 + 2); // disks
        writer.UInt16(narrowCount);
        writer.UInt16(narrowCount);
        writer.UInt32(Narrow(length));
        writer.UInt32(Narrow(offset));
        return end;
    }

    /// <summary>The fields that local and central headers share, up to the length of the name.</summary>
    private void WriteCommonFields(ref FieldWriter writer, uint crc, uint length)
    {
        writer.UInt16(VersionNeeded);
        writer.UInt16(ZipFormat.Utf8Flag | ZipFormat.DescriptorFlag);
        writer.UInt16(ZipFormat.Stored);
        writer.UInt16(0); // time
        writer.UInt16(FirstDosDate);
        writer.UInt32(crc);
        writer.UInt32(length);
        writer.UInt32(length);
        writer.UInt16((ushort)_name.Length);
    }

    private static uint Narrow(long value) => (uint)Math.Min(value, ZipFormat.In64Bits);

    private ref struct FieldWriter(Span<byte> target)
    {
        private Span<byte> _rest = target;

        public void UInt16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_rest, value);
            Skip(sizeof(ushort));
        }

        public void UInt32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_rest, value);
            Skip(sizeof(uint));
        }

        public void Int64(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_rest, value);
            Skip(sizeof(long));
        }

        public void Bytes(ReadOnlySpan<byte> value)
        {
            value.CopyTo(_rest);
            Skip(value.Length);
        }

        public void Skip(int count) => _rest = _rest[count..];
    }
}
