using System.Globalization;

namespace Fairseq2Llama.Gguf;

/// <summary>What a GGUF file says under keys, as far as it is of use here. Lists such as a vocabulary are only known to be there.</summary>
internal sealed class GgufMetadata
{
    /// <summary>Far more than any file has, and few enough to keep.</summary>
    private const int MaxCount = 1 << 16;

    /// <summary>ggml's specification allows 65535.</summary>
    private const int MaxKeyLength = 1024;

    /// <summary>Longer texts, such as a chat template, are only copied.</summary>
    private const int MaxTextLength = 4096;

    private readonly string _file;
    private readonly Dictionary<string, MetadataEntry> _entries;

    private GgufMetadata(string file, Dictionary<string, MetadataEntry> entries, IReadOnlyList<MetadataEntry> inOrder)
    {
        _file = file;
        _entries = entries;
        Entries = inOrder;
    }

    /// <summary>In their order.</summary>
    public IReadOnlyList<MetadataEntry> Entries { get; }

    /// <exception cref="CheckpointException">They are malformed.</exception>
    public static GgufMetadata Read(HeaderReader header, long count)
    {
        if (count > MaxCount)
        {
            throw CheckpointException.Corrupt(header.File, $"its metadata has {count} keys, more than {MaxCount}.");
        }

        var entries = new Dictionary<string, MetadataEntry>(StringComparer.Ordinal);
        var inOrder = new List<MetadataEntry>();

        for (var i = 0L; i < count; i++)
        {
            var key = header.ReadName(MaxKeyLength, "a key of its metadata");
            var entry = ReadValue(header, key);
            inOrder.Add(entry);

            if (!entries.TryAdd(key, entry))
            {
                throw CheckpointException.Corrupt(header.File, $"its metadata has the key '{key}' twice.");
            }
        }

        return new GgufMetadata(header.File, entries, inOrder);
    }

    public bool Has(string key) => _entries.ContainsKey(key);

    /// <returns>Null where there is no such key, or its text is very long.</returns>
    /// <exception cref="CheckpointException">It is no text.</exception>
    public string? Text(string key) => Find(key, "a text") switch
    {
        null => null,
        { Type: GgufValueType.String } entry => (string?)entry.Value,
        _ => throw Wrong(key, "a text"),
    };

    /// <exception cref="CheckpointException">It is no number.</exception>
    public double? Number(string key) => Find(key, "a number")?.Value switch
    {
        null => null,

        // 1e-5 and not 9.99999974737875E-06: what was meant is the shortest number that is rounded to it.
        float number => double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        IConvertible number and not (string or bool) => number.ToDouble(CultureInfo.InvariantCulture),
        _ => throw Wrong(key, "a number"),
    };

    /// <exception cref="CheckpointException">It is no whole number, or far too large.</exception>
    public int? Integer(string key) => Number(key) switch
    {
        null => null,
        { } number when number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        _ => throw Wrong(key, "a whole number of 32 bits"),
    };

    /// <exception cref="CheckpointException">It is missing, or no whole number.</exception>
    public int Require(string key) => Integer(key) ?? throw CheckpointException.Corrupt(_file, $"its metadata has no '{key}'.");

    private MetadataEntry? Find(string key, string what) => _entries.GetValueOrDefault(key) switch
    {
        { Type: GgufValueType.Array } => throw new CheckpointException(
            CheckpointErrorCode.ArchitectureMismatch, $"'{key}' of '{_file}' is a list, as of a model whose layers differ. Expected {what}, as a LLaMA has it.", _file),
        var entry => entry,
    };

    private CheckpointException Wrong(string key, string what) => CheckpointException.Corrupt(_file, $"'{key}' of its metadata is not {what}.");

    private static MetadataEntry ReadValue(HeaderReader header, string key)
    {
        var start = header.Position;
        var type = ReadType(header, key);
        object? value = null;

        if (type == GgufValueType.Array)
        {
            SkipArray(header, key);
        }
        else
        {
            value = ReadScalar(header, type);
        }

        return new MetadataEntry(key, type, new(start, header.Position - start), value);
    }

    private static object? ReadScalar(HeaderReader header, GgufValueType type)
    {
        switch (type)
        {
            case GgufValueType.UInt8:
                return header.Take(1)[0];
            case GgufValueType.Int8:
                return (sbyte)header.Take(1)[0];
            case GgufValueType.UInt16:
                return BitConverter.ToUInt16(header.Take(sizeof(ushort)));
            case GgufValueType.Int16:
                return BitConverter.ToInt16(header.Take(sizeof(short)));
            case GgufValueType.UInt32:
                return header.ReadUInt32();
            case GgufValueType.Int32:
                return BitConverter.ToInt32(header.Take(sizeof(int)));
            case GgufValueType.Float32:
                return BitConverter.ToSingle(header.Take(sizeof(float)));
            case GgufValueType.Bool:
                return header.Take(1)[0] != 0;
            case GgufValueType.UInt64:
                return header.ReadUInt64();
            case GgufValueType.Int64:
                return BitConverter.ToInt64(header.Take(sizeof(long)));
            case GgufValueType.Float64:
                return BitConverter.ToDouble(header.Take(sizeof(double)));
            default:
                return ReadText(header);
        }
    }

    /// <summary>Only a text that can be shown is of use here.</summary>
    private static string? ReadText(HeaderReader header)
    {
        var length = header.ReadCount(1, "bytes of a text");

        if (length > MaxTextLength)
        {
            header.Skip(length);
            return null;
        }

        var text = System.Text.Encoding.UTF8.GetString(header.Take((int)length));
        return PrintableText.IsPrintable(text) ? text : null;
    }

    private static void SkipArray(HeaderReader header, string key)
    {
        var type = ReadType(header, key);

        switch (type)
        {
            case GgufValueType.Array:
                throw CheckpointException.Corrupt(header.File, $"'{key}' of its metadata is a list of lists, which ggml does not read either.");

            case GgufValueType.String:
                for (var left = header.ReadCount(sizeof(ulong), $"texts of '{key}'"); left > 0; left--)
                {
                    header.Skip(header.ReadCount(1, $"bytes of a text of '{key}'"));
                }

                break;

            default:
                var size = SizeOf(type);
                header.Skip(header.ReadCount(size, $"values of '{key}'") * size);
                break;
        }
    }

    private static GgufValueType ReadType(HeaderReader header, string key)
    {
        var number = header.ReadUInt32();

        return Enum.IsDefined((GgufValueType)number)
            ? (GgufValueType)number
            : throw CheckpointException.Corrupt(header.File, $"'{key}' of its metadata is of the type {number}, which does not exist.");
    }

    private static int SizeOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        _ => 8,
    };
}
