using System.Buffers.Binary;
using System.Text;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Gguf;

/// <summary>Reads the beginning of a GGUF file from front to back, little-endian. Whatever the file claims, nothing is read behind its end, and no more kept than is asked for.</summary>
internal sealed class HeaderReader(IByteReader reader, string file, long length, CancellationToken cancellationToken)
{
    /// <summary>Where each request takes time, the metadata without a vocabulary come at once.</summary>
    private const int FirstRead = 64 << 10;

    private const int BufferSize = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte[] _buffer = [];
    private long _bufferOffset;

    /// <summary>The file's name, for messages.</summary>
    public string File => file;

    /// <summary>The offset of what is read next.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes from there to the end of the file.</summary>
    public long Rest => length - Position;

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>A number of things that take some bytes each.</summary>
    /// <param name="size">The least that one of them takes.</param>
    /// <param name="what">What they are, for messages.</param>
    /// <exception cref="CheckpointException">There can't be so many in the file.</exception>
    public long ReadCount(int size, string what)
    {
        var count = ReadUInt64();

        return count <= (ulong)(Rest / size)
            ? (long)count
            : throw CheckpointException.Corrupt(file, $"it claims to have {count} {what}, but only {Quantity.Of(Rest, "byte")} follow.");
    }

    /// <summary>A text that is shown or compared.</summary>
    /// <param name="maxLength">Bytes that it may have.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <exception cref="CheckpointException">It is longer, or not UTF-8, or has characters that could talk to a terminal.</exception>
    public string ReadName(int maxLength, string what)
    {
        var size = ReadCount(1, $"bytes of {what}");

        if (size > maxLength)
        {
            throw CheckpointException.Corrupt(file, $"{what} is {size} bytes long, more than {maxLength}.");
        }

        var text = Decode(Take((int)size));
        return text is not null && PrintableText.IsPrintable(text)
            ? text
            : throw CheckpointException.Corrupt(file, $"{what} has bytes that are not UTF-8, or control characters or invisible characters in it.");
    }

    /// <summary>The next bytes, for as long as nothing else is read.</summary>
    /// <param name="count">A small number.</param>
    /// <exception cref="CheckpointException">The file ends before.</exception>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > Rest)
        {
            throw CheckpointException.Corrupt(file, $"it ends after {length} bytes, in the middle of its header: it was cut off while being written or copied.");
        }

        if (Position < _bufferOffset || Position + count > _bufferOffset + _buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _bufferOffset = Position;
            _buffer = new byte[Math.Min(Rest, Math.Max(count, _buffer.Length == 0 ? FirstRead : BufferSize))];
            reader.Read(_bufferOffset, _buffer);
        }

        var bytes = _buffer.AsSpan((int)(Position - _bufferOffset), count);
        Position += count;
        return bytes;
    }

    /// <exception cref="CheckpointException">The file ends before.</exception>
    public void Skip(long count)
    {
        Position = count <= Rest
            ? Position + count
            : throw CheckpointException.Corrupt(file, $"it ends after {length} bytes, in the middle of its header: it was cut off while being written or copied.");
    }

    private static string? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
