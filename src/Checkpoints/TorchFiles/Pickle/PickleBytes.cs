using System.Buffers.Binary;
using System.Text;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// The bytes of pickles, taken from front to back and never past their end. Where that end is, in the legacy container only the pickles
/// themselves know; so bytes are read as they are needed.
/// </summary>
internal sealed class PickleBytes
{
    private const int FirstLoad = 64 << 10;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IByteReader? _reader;
    private readonly string _file;
    private readonly int _length;
    private readonly PickleTexts? _texts;
    private byte[] _buffer;
    private int _loaded;

    /// <param name="pickle">All bytes.</param>
    /// <param name="file">The file's name, for messages.</param>
    public PickleBytes(byte[] pickle, string file)
    {
        _buffer = pickle;
        _loaded = _length = pickle.Length;
        _file = file;
        _texts = new PickleTexts(pickle.Length);
    }

    /// <param name="source">Bytes that begin with pickles.</param>
    /// <param name="reader">The same, open.</param>
    public PickleBytes(IByteSource source, IByteReader reader)
    {
        _buffer = [];
        _length = (int)Math.Min(source.Length, PickleBudget.MaxBytes);
        _reader = reader;
        _file = source.Name;
    }

    /// <summary>Bytes taken so far.</summary>
    public int Position { get; private set; }

    /// <summary>What a pickle that begins here uses again; null where only a part of it is known.</summary>
    public PickleRecalls? FindRecalled() => _reader is null ? PickleRecalls.Find(_buffer.AsSpan(Position)) : null;

    public ReadOnlySpan<byte> Take(long count)
    {
        var taken = Peek(count);
        Position += taken.Length;
        return taken;
    }

    public byte UInt8() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A two's complement integer: a long, or where that is too small an Int128, as the legacy container's magic is, or nothing that could be looked into.</summary>
    public object Integer(long count)
    {
        var digits = Take(count);

        // The state of a random number generator has thousands; no state dict looks into it.
        if (digits.Length > 16)
        {
            return new PickleOpaque("int");
        }

        var value = digits.IsEmpty || (digits[^1] & 0x80) == 0 ? Int128.Zero : Int128.NegativeOne;

        for (var i = digits.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | digits[i];
        }

        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    public string Text(long count)
    {
        try
        {
            var bytes = Take(count);
            return _texts is null ? Utf8.GetString(bytes) : _texts.Get(bytes, Utf8);
        }
        catch (DecoderFallbackException)
        {
            throw CheckpointException.Corrupt(_file, "its pickle holds text that is not UTF-8.");
        }
    }

    /// <summary>A line as GLOBAL has it, without its end.</summary>
    public string Line()
    {
        var length = Peek(Math.Min(_length - Position, TensorLimits.MaxNameLength)).IndexOf((byte)'\n');

        if (length < 0)
        {
            throw CheckpointException.Corrupt(_file, $"its pickle has an unterminated name at byte {Position}.");
        }

        var line = Text(length);
        Position++;
        return line;
    }

    private ReadOnlySpan<byte> Peek(long count)
    {
        if (count < 0 || count > _length - Position)
        {
            throw CheckpointException.Corrupt(_file, $"its pickle ends too early, at byte {Position} of {_length}.");
        }

        Load(Position + (int)count);
        return _buffer.AsSpan(Position, (int)count);
    }

    private void Load(int end)
    {
        if (end <= _loaded)
        {
            return;
        }

        var target = Math.Min(_length, Math.Max(end, Math.Max(FirstLoad, 2 * _loaded)));
        Array.Resize(ref _buffer, target);
        _reader!.Read(_loaded, _buffer.AsSpan(_loaded));
        _loaded = target;
    }
}
