using System.Buffers.Binary;
using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Makes GGUF files of any keys and tensors, true or not; written apart from what it tests.</summary>
internal sealed class GgufBuilder
{
    public const uint F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, F64 = 28, BF16 = 30;

    private readonly List<(string Name, byte[] Bytes)> _keys = [];
    private readonly List<(byte[] Name, ulong[] Dims, uint Type, ulong? Offset, byte[] Data)> _tensors = [];

    public string Magic { get; set; } = "GGUF";

    public uint Version { get; set; } = 3;

    /// <summary>What the file claims; null for the truth.</summary>
    public ulong? TensorCount { get; set; }

    /// <summary>What the file claims; null for the truth.</summary>
    public ulong? KeyCount { get; set; }

    /// <summary>Where tensors begin; <c>general.alignment</c> is a key like any other.</summary>
    public int Alignment { get; set; } = 32;

    /// <summary>Whether the last tensor is filled up as well.</summary>
    public bool FillsLast { get; set; } = true;

    /// <summary>What follows the last tensor.</summary>
    public byte[] Trailer { get; set; } = [];

    /// <summary>A LLaMA of two layers, with random numbers as float32 unless another type is given.</summary>
    /// <param name="dim">The model dim, of which four heads have equal parts.</param>
    /// <param name="ffn">The inner dim of the FFN.</param>
    /// <param name="vocab">How many tokens there are.</param>
    /// <param name="layers">How many layers there are.</param>
    /// <param name="type">The type of matrices; vectors are float32.</param>
    /// <param name="isTied">Whether there is no output.</param>
    public static GgufBuilder Llama(int dim = 64, int ffn = 96, int vocab = 40, int layers = 2, uint type = F32, bool isTied = false)
    {
        const int Heads = 4, KvHeads = 2;
        var headDim = dim / Heads;
        var random = new Random(dim + ffn + vocab + layers);

        var file = new GgufBuilder()
            .Key("general.architecture", "llama")
            .Key("general.name", "small")
            .Key("llama.block_count", (uint)layers)
            .Key("llama.context_length", 2048u)
            .Key("llama.embedding_length", (uint)dim)
            .Key("llama.feed_forward_length", (uint)ffn)
            .Key("llama.attention.head_count", (uint)Heads)
            .Key("llama.attention.head_count_kv", (uint)KvHeads)
            .Key("llama.rope.freq_base", 10_000f)
            .Key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .Key("llama.attention.key_length", (uint)headDim)
            .Key("llama.attention.value_length", (uint)headDim)
            .Key("llama.vocab_size", (uint)vocab)
            .Key("llama.rope.dimension_count", (uint)headDim);

        Add("token_embd", vocab, dim);

        for (var layer = 0; layer < layers; layer++)
        {
            Add($"blk.{layer}.attn_norm", dim);
            Add($"blk.{layer}.attn_q", dim, dim);
            Add($"blk.{layer}.attn_k", KvHeads * headDim, dim);
            Add($"blk.{layer}.attn_v", KvHeads * headDim, dim);
            Add($"blk.{layer}.attn_output", dim, dim);
            Add($"blk.{layer}.ffn_norm", dim);
            Add($"blk.{layer}.ffn_gate", ffn, dim);
            Add($"blk.{layer}.ffn_up", ffn, dim);
            Add($"blk.{layer}.ffn_down", dim, ffn);
        }

        Add("output_norm", dim);

        if (!isTied)
        {
            Add("output", vocab, dim);
        }

        return file;

        void Add(string name, params int[] shape) =>
            file.Tensor($"{name}.weight", shape.Length == 1 ? F32 : type, MakeData(shape.Length == 1 ? F32 : type, shape.Aggregate((a, b) => a * b), random), [.. shape.Select(size => (ulong)size).Reverse()]);
    }

    /// <summary>Adds a key, or gives one that is there another value.</summary>
    /// <param name="name">The key.</param>
    /// <param name="value">A number, a bool, a text, or an array of one of these; null takes the key away.</param>
    public GgufBuilder Key(string name, object? value)
    {
        var place = _keys.FindIndex(key => key.Name == name);

        if (value is null)
        {
            _keys.RemoveAt(place);
        }
        else if (place < 0)
        {
            _keys.Add((name, MakeKey(Encoding.UTF8.GetBytes(name), Encode(value))));
        }
        else
        {
            _keys[place] = (name, MakeKey(Encoding.UTF8.GetBytes(name), Encode(value)));
        }

        return this;
    }

    /// <summary>Adds a key with a list.</summary>
    public GgufBuilder List<T>(string name, params T[] values) => Key(name, values);

    /// <summary>Adds a key, whether it is there or not.</summary>
    /// <param name="name">Its bytes.</param>
    /// <param name="value">A type and what follows it.</param>
    public GgufBuilder RawKey(ReadOnlySpan<byte> name, params ReadOnlySpan<byte> value)
    {
        _keys.Add(("", MakeKey(name, value)));
        return this;
    }

    /// <param name="name">Its name.</param>
    /// <param name="type">As ggml numbers them.</param>
    /// <param name="data">Its bytes.</param>
    /// <param name="dims">As they stand in the file, innermost first.</param>
    public GgufBuilder Tensor(string name, uint type, byte[] data, params ulong[] dims) => Tensor(Encoding.UTF8.GetBytes(name), type, data, null, dims);

    /// <summary>A tensor that says where it begins, which may be a lie.</summary>
    public GgufBuilder Tensor(byte[] name, uint type, byte[] data, ulong? offset, params ulong[] dims)
    {
        _tensors.Add((name, dims, type, offset, data));
        return this;
    }

    /// <summary>Takes a tensor away, or gives it another shape or type.</summary>
    public GgufBuilder Replace(string name, Func<(uint Type, byte[] Data, ulong[] Dims), (uint Type, byte[] Data, ulong[] Dims)?> change)
    {
        var place = _tensors.FindIndex(tensor => Encoding.UTF8.GetString(tensor.Name) == name);
        var old = _tensors[place];
        _tensors.RemoveAt(place);

        if (change((old.Type, old.Data, old.Dims)) is var (type, data, dims))
        {
            _tensors.Insert(place, (old.Name, dims, type, null, data));
        }

        return this;
    }

    public byte[] Build()
    {
        var file = new MemoryStream();
        file.Write(Encoding.ASCII.GetBytes(Magic));
        file.Write(BitConverter.GetBytes(Version));
        file.Write(BitConverter.GetBytes(TensorCount ?? (ulong)_tensors.Count));
        file.Write(BitConverter.GetBytes(KeyCount ?? (ulong)_keys.Count));
        _keys.ForEach(key => file.Write(key.Bytes));
        var offset = 0L;

        foreach (var tensor in _tensors)
        {
            file.Write(BitConverter.GetBytes((ulong)tensor.Name.Length));
            file.Write(tensor.Name);
            file.Write(BitConverter.GetBytes((uint)tensor.Dims.Length));
            file.Write([.. tensor.Dims.SelectMany(BitConverter.GetBytes)]);
            file.Write(BitConverter.GetBytes(tensor.Type));
            file.Write(BitConverter.GetBytes(tensor.Offset ?? (ulong)offset));
            offset += Pad(tensor.Data.Length);
        }

        Fill(file);

        for (var i = 0; i < _tensors.Count; i++)
        {
            file.Write(_tensors[i].Data);

            if (i < _tensors.Count - 1 || FillsLast)
            {
                Fill(file);
            }
        }

        file.Write(Trailer);
        return file.ToArray();
    }

    /// <summary>Random numbers of a type of ggml.</summary>
    public static byte[] MakeData(uint type, int count, Random random)
    {
        switch (type)
        {
            case Q8_0:
                var blocks = new byte[count / 32 * 34];
                random.NextBytes(blocks);

                for (var block = 0; block < blocks.Length; block += 34)
                {
                    BinaryPrimitives.WriteHalfLittleEndian(blocks.AsSpan(block), (Half)(random.NextSingle() * 0.01f));
                }

                return blocks;
            case F16:
                return [.. Enumerable.Range(0, count).SelectMany(_ => BitConverter.GetBytes((Half)(random.NextSingle() - 0.5f)))];
            case BF16:
                return [.. Enumerable.Range(0, count).SelectMany(_ => BitConverter.GetBytes(random.NextSingle() - 0.5f)[2..])];
            case F64:
                return [.. Enumerable.Range(0, count).SelectMany(_ => BitConverter.GetBytes(random.NextDouble() - 0.5))];
            default:
                return [.. Enumerable.Range(0, count).SelectMany(_ => BitConverter.GetBytes(random.NextSingle() - 0.5f))];
        }
    }

    /// <summary>A type and a value of it, as they lie in a file.</summary>
    public static byte[] Encode(object value) => value switch
    {
        Array { Length: > 0 } list => [.. Number(9), .. Encode(list.GetValue(0)!)[..4], .. BitConverter.GetBytes((ulong)list.Length), .. list.Cast<object>().SelectMany(item => Encode(item)[4..])],
        byte number => [.. Number(0), number],
        sbyte number => [.. Number(1), unchecked((byte)number)],
        ushort number => [.. Number(2), .. BitConverter.GetBytes(number)],
        short number => [.. Number(3), .. BitConverter.GetBytes(number)],
        uint number => [.. Number(4), .. BitConverter.GetBytes(number)],
        int number => [.. Number(5), .. BitConverter.GetBytes(number)],
        float number => [.. Number(6), .. BitConverter.GetBytes(number)],
        bool flag => [.. Number(7), flag ? (byte)1 : (byte)0],
        string text => [.. Number(8), .. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)],
        ulong number => [.. Number(10), .. BitConverter.GetBytes(number)],
        long number => [.. Number(11), .. BitConverter.GetBytes(number)],
        double number => [.. Number(12), .. BitConverter.GetBytes(number)],
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    private static byte[] Number(uint type) => BitConverter.GetBytes(type);

    private static byte[] MakeKey(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => [.. BitConverter.GetBytes((ulong)name.Length), .. name, .. value];

    private long Pad(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private void Fill(MemoryStream file) => file.Write(new byte[Pad(file.Length) - file.Length]);
}
