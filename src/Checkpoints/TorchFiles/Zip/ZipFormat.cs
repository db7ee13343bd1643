namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>The numbers of PKWARE's APPNOTE.TXT that reader and writer share.</summary>
internal static class ZipFormat
{
    public const uint LocalHeaderSignature = 0x04034b50;
    public const uint DescriptorSignature = 0x08074b50;
    public const uint CentralHeaderSignature = 0x02014b50;
    public const uint EndSignature = 0x06054b50;
    public const uint Zip64EndSignature = 0x06064b50;
    public const uint Zip64LocatorSignature = 0x07064b50;

    public const int LocalHeaderSize = 30;
    public const int DescriptorSize = 16;
    public const int Zip64DescriptorSize = 24;
    public const int CentralHeaderSize = 46;
    public const int EndSize = 22;
    public const int Zip64EndSize = 56;
    public const int Zip64LocatorSize = 20;

    public const ushort Stored = 0;
    public const ushort Deflated = 8;

    /// <summary>RFC 1951 has nothing shorter than two bits for 258 bytes.</summary>
    public const int MaxDeflateRatio = 1032;

    public const ushort EncryptedFlag = 1;

    /// <summary>The checksum and the sizes follow the data, in a data descriptor.</summary>
    public const ushort DescriptorFlag = 1 << 3;

    public const ushort Utf8Flag = 1 << 11;

    public const ushort Zip64ExtraId = 1;

    /// <summary>PyTorch's extra field, whose only purpose is its length: "FB" in little-endian order.</summary>
    public const ushort PaddingExtraId = 0x4246;

    /// <summary>A 32-bit field with this value has its real one in the ZIP64 extra field or record.</summary>
    public const uint In64Bits = 0xffffffff;

    /// <summary>The same for the 16-bit number of entries.</summary>
    public const ushort EntriesIn64Bits = 0xffff;
}
