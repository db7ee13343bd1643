using System.Buffers.Binary;

namespace Fairseq2Llama.Tokenizers;

/// <summary>
/// Reads one message of the wire format of protocol buffers, field by field, out of bytes in memory. It checks every length against what is there. It
/// knows no groups, which SentencePiece never had.
/// </summary>
/// <param name="message">The message.</param>
/// <param name="file">The file that it is in, for errors.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string file)
{
    private const int MaxVarintLength = 10;

    private ReadOnlySpan<byte> _rest = message;
    private int _wireType;

    /// <summary>The number of the field that was read last.</summary>
    public int Field { get; private set; }

    /// <summary>Goes on to the next field, the value of which must be read or skipped before the one after it.</summary>
    /// <returns>False at the end of the message.</returns>
    public bool Read()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = ReadVarint();
        (Field, _wireType) = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
        return Field > 0 ? true : throw Broken();
    }

    /// <summary>Bytes: a text, or a message.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        Require(wireType: 2);
        var length = ReadVarint();
        return Take(length <= (ulong)_rest.Length ? (int)length : throw Broken());
    }

    /// <summary>An int32 or an enumeration; negative numbers are as long as those of 64 bits.</summary>
    public int ReadInt32()
    {
        Require(wireType: 0);
        return unchecked((int)ReadVarint());
    }

    public bool ReadBool()
    {
        Require(wireType: 0);
        return ReadVarint() != 0;
    }

    public float ReadFloat()
    {
        Require(wireType: 5);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));
    }

    /// <summary>Passes over the value.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Take(sizeof(ulong));
                break;
            case 2:
                ReadBytes();
                break;
            case 5:
                Take(sizeof(uint));
                break;
            default:
                throw Broken();
        }
    }

    private readonly void Require(int wireType)
    {
        if (_wireType != wireType)
        {
            throw Broken();
        }
    }

    private ulong ReadVarint()
    {
        var value = 0UL;

        for (var i = 0; i < MaxVarintLength; i++)
        {
            var piece = Take(1)[0];
            value |= (ulong)(piece & 0x7f) << (7 * i);

            if (piece < 0x80)
            {
                return value;
            }
        }

        throw Broken();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Broken();
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private readonly CheckpointException Broken() => CheckpointException.Corrupt(file, "it is not a model of SentencePiece as a whole.");
}
