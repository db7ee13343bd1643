using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>
/// Writes the metadata of a distributed checkpoint as Python's pickler writes that of torch.distributed.checkpoint (protocol 4): each rank's names and
/// places are objects of their own, since they came from another process, and all else is recalled.
/// </summary>
/// <param name="layers">Layers of the model; each has nine weights.</param>
/// <param name="ranks">Ranks that each save a part of every tensor.</param>
/// <param name="statesPerWeight">Tensors of the optimizer's state beside each weight.</param>
internal sealed class MetadataPickle(int layers, int ranks, int statesPerWeight)
{
    private const string Classes = "torch.distributed.checkpoint.metadata", Files = "torch.distributed.checkpoint.filesystem";
    private const int FrameLength = 64 << 10;

    private static readonly (string Name, long Rows, long Columns)[] Weights =
    [
        ("attention.wq", 8192, 8192), ("attention.wk", 1024, 8192), ("attention.wv", 1024, 8192), ("attention.wo", 8192, 8192),
        ("feed_forward.w1", 28672, 8192), ("feed_forward.w2", 8192, 28672), ("feed_forward.w3", 28672, 8192), ("attention_norm", 8192, 0), ("ffn_norm", 8192, 0),
    ];

    private static readonly string[] States = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

    private readonly ArrayBufferWriter<byte> _pickle = new();
    private readonly ArrayBufferWriter<byte> _frame = new();
    private readonly Dictionary<string, int> _memo = new(StringComparer.Ordinal);
    private int _remembered;

    /// <summary>How many tensors there are.</summary>
    public int Tensors => layers * Weights.Length * (1 + statesPerWeight);

    /// <summary>The file.</summary>
    public byte[] Write()
    {
        _pickle.Write<byte>([0x80, 4]);
        Begin(Classes, "Metadata");
        Once("state_dict_metadata");
        Op('}');
        Remember();
        WriteBatches(Tensors, tensor => WriteTensor(tensor));
        Once("planner_data");
        Op('N');
        Once("storage_data");
        Op('}');
        Remember();

        // What a rank saved is a pickle of its own on the way to the first, so its objects are shared within a rank only.
        WriteBatches(Tensors * ranks, item => WriteItem(item % Tensors, item / Tensors));
        Once("storage_meta");
        Op('N');
        Op('u', 'b', '.');
        EndFrame(0);
        return _pickle.WrittenSpan.ToArray();
    }

    private void WriteTensor(int index)
    {
        var (name, rows, columns) = Tensor(index);
        Text(name);
        Begin(Classes, "TensorStorageMetadata");
        Once("properties");
        Class(Classes, "TensorProperties");
        Op(')', '\x81');
        Remember();
        Op('(');
        Global("torch", "float32");
        Recall("layout", () =>
        {
            Global("torch.serialization", "_get_layout");
            Once("torch.strided");
            Op('\x85');
            Remember();
            Op('R');
        });
        Op('\x89');
        Recall("format", () =>
        {
            Class(Classes, "_MEM_FORMAT_ENCODING");
            Integer(0);
            Op('\x85');
            Remember();
            Op('R');
        });
        Op('\x89', 't');
        Remember();
        Op('b');
        Once("size");
        Size(rows, columns);
        Once("chunks");
        Op(']');
        Remember();
        WriteBatches(ranks, rank => WriteChunk(rank, rows, columns), end: 'e', single: 'a');
        Op('u', 'b');
    }

    private void WriteChunk(int rank, long rows, long columns)
    {
        Begin(Classes, "ChunkStorageMetadata");
        var (first, count) = RowsOf(rank, rows);
        Once("offsets");
        Size(first, columns, columns == 0 ? null : 0);
        Once("sizes");
        Size(count, columns);
        Op('u', 'b');
        EndFrame(FrameLength);
    }

    private void WriteItem(int index, int rank)
    {
        var (name, rows, columns) = Tensor(index);
        var (first, count) = RowsOf(rank, rows);
        Begin(Classes, "MetadataIndex");
        Once("fqn");

        Text(name);
        Once("index");
        Integer(rank);
        Once("offset");
        Size(first, columns, columns == 0 ? null : 0);
        Op('u', 'b');
        Begin(Files, "_StorageInfo");
        Once("relative_path");
        Once(string.Create(CultureInfo.InvariantCulture, $"__{rank}_0.distcp"));
        Once("offset");
        var length = (count * Math.Max(1, columns) * sizeof(float)) + 1500;
        Integer(index * length);
        Once("length");
        Integer(length);
        Op('u', 'b');
        EndFrame(FrameLength);
    }

    private (string Name, long Rows, long Columns) Tensor(int index)
    {
        var (state, weight) = Math.DivRem(index, layers * Weights.Length);
        var (name, rows, columns) = Weights[weight % Weights.Length];
        name = string.Create(CultureInfo.InvariantCulture, $"layers.{weight / Weights.Length}.{name}.weight");
        return (state == 0 ? name : $"optimizer.state.{name}.{States[state - 1]}", rows, columns);
    }

    private (long First, long Count) RowsOf(int rank, long rows)
    {
        var most = (rows + ranks - 1) / ranks;
        var first = Math.Min(rows, rank * most);
        return (first, Math.Min(rows, first + most) - first);
    }

    /// <summary>A thousand entries at a time, as picklers do.</summary>
    private void WriteBatches(int count, Action<int> write, char end = 'u', char single = 's')
    {
        for (var start = 0; start < count; start += 1000)
        {
            var isSingle = count - start == 1;

            if (!isSingle)
            {
                Op('(');
            }

            for (var i = start; i < Math.Min(count, start + 1000); i++)
            {
                write(i);
            }

            Op(isSingle ? single : end);
        }
    }

    private void Begin(string module, string name)
    {
        Class(module, name);
        Op(')', '\x81');
        Remember();
        Op('}');
        Remember();
        Op('(');
    }

    /// <summary>torch.Size((first, second)); of one size, where the second is 0.</summary>
    private void Size(long first, long columns, long? second = null)
    {
        Global("torch", "Size");
        Integer(first);

        if (columns != 0)
        {
            Integer(second ?? columns);
        }

        Op(columns == 0 ? '\x85' : '\x86');
        Remember();
        Op('\x85');
        Remember();
        Op('R');
        Remember();
    }

    private void Class(string module, string name) => Recall($"{module}.{name}", () =>
    {
        Once(module);
        Once(name);
        Op('\x93');
    });

    /// <summary>PyTorch makes the names of its own objects' modules anew each time.</summary>
    private void Global(string module, string name) => Recall($"{module}.{name}", () =>
    {
        Text(module);
        Text(name);
        Op('\x93');
    });

    private void Once(string text) => Recall($"'{text}'", () => Text(text, isRemembered: false));

    private void Recall(string what, Action write)
    {
        if (_memo.TryGetValue(what, out var number))
        {
            if (number < 256)
            {
                _frame.Write<byte>([(byte)'h', (byte)number]);
            }
            else
            {
                Op('j');
                Int32(number);
            }

            return;
        }

        write();
        _memo[what] = _remembered;
        Remember();
    }

    private void Text(string text, bool isRemembered = true)
    {
        _frame.Write<byte>([0x8c, (byte)text.Length]);
        _frame.Write(Encoding.ASCII.GetBytes(text));

        if (isRemembered)
        {
            Remember();
        }
    }

    private void Integer(long value)
    {
        switch (value)
        {
            case < 1 << 8:
                _frame.Write<byte>([(byte)'K', (byte)value]);
                break;
            case < 1 << 16:
                _frame.Write<byte>([(byte)'M', (byte)value, (byte)(value >> 8)]);
                break;
            case <= int.MaxValue:
                Op('J');
                Int32((int)value);
                break;
            default:
                Span<byte> digits = stackalloc byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(digits, value);
                var length = digits.LastIndexOfAnyExcept((byte)0) + 1;
                length += digits[length - 1] >> 7;
                _frame.Write<byte>([0x8a, (byte)length]);
                _frame.Write<byte>(digits[..length]);
                break;
        }
    }

    private void Remember()
    {
        Op('\x94');
        _remembered++;
    }

    private void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _frame.Write<byte>(bytes);
    }

    private void Op(params ReadOnlySpan<char> opcodes)
    {
        foreach (var opcode in opcodes)
        {
            _frame.Write<byte>([(byte)opcode]);
        }
    }

    private void EndFrame(int atLeast)
    {
        if (_frame.WrittenCount < atLeast)
        {
            return;
        }

        Span<byte> head = stackalloc byte[1 + sizeof(long)];
        head[0] = 0x95;
        BinaryPrimitives.WriteInt64LittleEndian(head[1..], _frame.WrittenCount);
        _pickle.Write<byte>(head);
        _pickle.Write(_frame.WrittenSpan);
        _frame.ResetWrittenCount();
    }
}
