using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.Gguf.Writing;

/// <summary>
/// The metadata of a file to be written: values under keys, in the order in which the keys were first added. As gguf-py's GGUFWriter does, it leaves
/// out empty texts and lists, and a key that is added again gets the new value in its old place.
/// </summary>
internal sealed class MetadataWriter
{
    private readonly List<(string Key, ReadOnlyMemory<byte> Value)> _entries = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes of all values, which are most of what is written.</summary>
    public int Length => _entries.Sum(entry => entry.Value.Length);

    public void Add(string key, string value)
    {
        if (value.Length > 0)
        {
            Add(key, GgufValueType.String, buffer => WriteText(buffer, value));
        }
    }

    public void Add(string key, uint value) => Add(key, GgufValueType.UInt32, buffer => WriteUInt32(buffer, value));

    public void Add(string key, int value) => Add(key, GgufValueType.Int32, buffer => WriteInt32(buffer, value));

    public void Add(string key, ushort value) => Add(key, GgufValueType.UInt16, buffer =>
    {
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.GetSpan(sizeof(ushort)), value);
        buffer.Advance(sizeof(ushort));
    });

    public void Add(string key, float value) => Add(key, GgufValueType.Float32, buffer => WriteFloat32(buffer, value));

    public void Add(string key, bool value) => Add(key, GgufValueType.Bool, buffer => buffer.Write([value ? (byte)1 : (byte)0]));

    public void Add(string key, IReadOnlyCollection<string> values) => AddArray(key, GgufValueType.String, values, WriteText);

    public void Add(string key, IReadOnlyCollection<int> values) => AddArray(key, GgufValueType.Int32, values, WriteInt32);

    public void Add(string key, IReadOnlyCollection<float> values) => AddArray(key, GgufValueType.Float32, values, WriteFloat32);

    /// <param name="key">The key.</param>
    /// <param name="value">A type and a value of it, as they lie in a file.</param>
    public void AddRaw(string key, ReadOnlyMemory<byte> value)
    {
        if (_places.TryAdd(key, _entries.Count))
        {
            _entries.Add((key, value));
        }
        else
        {
            _entries[_places[key]] = (key, value);
        }
    }

    /// <summary>All keys and values.</summary>
    public byte[] ToArray()
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes all keys and values.</summary>
    public void WriteTo(IBufferWriter<byte> buffer)
    {
        foreach (var (key, value) in _entries)
        {
            WriteText(buffer, key);
            buffer.Write(value.Span);
        }
    }

    /// <summary>The length of its UTF-8 in bytes, and the UTF-8.</summary>
    public static void WriteText(IBufferWriter<byte> buffer, string text)
    {
        WriteUInt64(buffer, (ulong)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, buffer);
    }

    public static void WriteUInt32(IBufferWriter<byte> buffer, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(sizeof(uint)), value);
        buffer.Advance(sizeof(uint));
    }

    public static void WriteUInt64(IBufferWriter<byte> buffer, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(buffer.GetSpan(sizeof(ulong)), value);
        buffer.Advance(sizeof(ulong));
    }

    private static void WriteInt32(IBufferWriter<byte> buffer, int value) => WriteUInt32(buffer, unchecked((uint)value));

    private static void WriteFloat32(IBufferWriter<byte> buffer, float value) => WriteUInt32(buffer, BitConverter.SingleToUInt32Bits(value));

    private void AddArray<T>(string key, GgufValueType type, IReadOnlyCollection<T> values, Action<IBufferWriter<byte>, T> write)
    {
        if (values.Count == 0)
        {
            return;
        }

        Add(key, GgufValueType.Array, buffer =>
        {
            WriteUInt32(buffer, (uint)type);
            WriteUInt64(buffer, (ulong)values.Count);

            foreach (var value in values)
            {
                write(buffer, value);
            }
        });
    }

    private void Add(string key, GgufValueType type, Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteUInt32(buffer, (uint)type);
        write(buffer);
        AddRaw(key, buffer.WrittenMemory);
    }
}
