using System.Globalization;
using System.Text;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Writing;
using Fairseq2Llama.TorchFiles.Zip;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Benchmark;

/// <summary>
/// Makes checkpoints as fairseq2 0.4 saves them: <c>model.pt</c>, or <c>model.0.pt</c>, … with tensor parallelism, in bfloat16, the output
/// projection by itself even where the architecture ties it. Here, and in <see cref="RandomWeights"/>, is all that the benchmark uses of
/// the library's internals.
/// </summary>
internal static class CheckpointMaker
{
    private const int ItemSize = 2;

    /// <summary>How far apart the weights of two ranks are in <see cref="RandomWeights"/>: further than any model is large.</summary>
    private const long RankDistance = 1L << 44;

    /// <summary>Bytes that a checkpoint will take, but for names and headers.</summary>
    public static long SizeOf(LlamaArchitecture architecture) => (architecture with { TiedEmbeddings = false }).ParameterCount * ItemSize;

    /// <summary>Makes one in a folder that does not exist yet.</summary>
    public static MadeCheckpoint Make(string folder, LlamaArchitecture architecture, int shardCount = 1)
    {
        Directory.CreateDirectory(folder);

        var files = new List<string>();
        var tensorCount = 0;

        for (var rank = 0; rank < shardCount; rank++)
        {
            var name = shardCount == 1 ? "model" : string.Create(CultureInfo.InvariantCulture, $"model.{rank}");
            var tensors = TensorsOf(architecture, rank, shardCount);

            files.Add(Path.Combine(folder, name + ".pt"));
            Write(files[^1], name, tensors);
            tensorCount = tensors.Count;
        }

        return new MadeCheckpoint(folder, architecture, files, tensorCount);
    }

    /// <summary>In the order of fairseq2's modules: the frontend, layer by layer, the end.</summary>
    private static List<PlannedTensor> TensorsOf(LlamaArchitecture architecture, int rank, int shardCount)
    {
        var source = new RandomWeights();
        var tensors = new List<PlannedTensor>();
        var offset = 0L;

        var parameters =
            from parameter in LlamaParameter.All
            from named in parameter.NamesIn(architecture).Select((name, layer) => (Name: name, Layer: layer))
            orderby parameter == LlamaParameter.Embedding ? -1 : parameter.IsPerLayer ? named.Layer : int.MaxValue
            select (named.Name, Parameter: parameter);

        foreach (var (name, parameter) in parameters)
        {
            var shape = new TensorShape([.. parameter.Dims.Select(dim => dim.SizeIn(architecture))]);
            var split = SplitDimOf(parameter, architecture);

            if (split is { } dim)
            {
                shape = shape.With(dim, shape[dim] / shardCount);
            }

            // What is not divided is the same in all ranks.
            var storage = new StoredBytes
            {
                Source = source,
                Record = name,
                Offset = offset + (split is null ? 0 : rank * RankDistance),
                Length = shape.ElementCount * ItemSize,
            };
            var planned = new PlannedStorage(DType.BFloat16, [RowBlock.Of(new ByteRuns(storage, 0, storage.Length, []))]);

            tensors.Add(new PlannedTensor(name, name, DType.BFloat16, shape, planned));
            offset += (storage.Length + RandomWeights.Alignment - 1) / RandomWeights.Alignment * RandomWeights.Alignment;
        }

        return tensors;
    }

    private static int? SplitDimOf(LlamaParameter parameter, LlamaArchitecture architecture) => parameter.Split switch
    {
        TensorSplit.Rows => 0,
        TensorSplit.Columns => 1,
        TensorSplit.VocabularyOrModel => architecture.ShardEmbedDim ? 1 : 0,
        _ => null,
    };

    private static void Write(string path, string root, List<PlannedTensor> tensors)
    {
        PlannedStorage[] storages = [.. tensors.Select(tensor => tensor.Storage)];

        using var archive = new Archive(path);
        archive.Add(root + "/data.pkl", Wrap(StateDictPickle.Write(tensors, storages)));
        archive.Add(root + "/byteorder", "little"u8);

        for (var key = 0; key < storages.Length; key++)
        {
            archive.Add(string.Create(CultureInfo.InvariantCulture, $"{root}/data/{key}"), storages[key].Runs.Single().Storage);
        }

        archive.Add(root + "/version", "3\n"u8);
        archive.End();
    }

    /// <summary>{"model": state dict, "model_key": "model", "fs2": True}</summary>
    private static byte[] Wrap(byte[] stateDict)
    {
        using var pickle = new MemoryStream();
        using var writer = new BinaryWriter(pickle);

        writer.Write([0x80, 2, (byte)'}', (byte)'(']);
        WriteText(writer, "model");
        writer.Write(stateDict.AsSpan(2..^1)); // without the protocol before it and the stop behind it
        WriteText(writer, "model_key");
        WriteText(writer, "model");
        WriteText(writer, "fs2");
        writer.Write([0x88, (byte)'u', (byte)'.']);
        return pickle.ToArray();
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        writer.Write((byte)'X');
        writer.Write(text.Length);
        writer.Write(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>An archive that is written from front to back, with every record aligned as PyTorch aligns them.</summary>
    private sealed class Archive(string path) : IDisposable
    {
        private static readonly DataPlacement Aligned = new(64, 0);

        private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        private readonly byte[] _buffer = new byte[1 << 20];
        private readonly MemoryStream _directory = new();
        private long _end;
        private int _count;

        public void Add(string name, ReadOnlySpan<byte> content)
        {
            var record = new ZipRecord(name, _end, content.Length, Aligned);
            var crc = ThirdParty.CreateCrc32();

            crc.Append(content);
            RandomAccess.Write(_file, content, record.DataOffset);
            Close(record, crc);
        }

        public void Add(string name, StoredBytes storage)
        {
            var record = new ZipRecord(name, _end, storage.Length, Aligned);
            var crc = ThirdParty.CreateCrc32();
            using var reader = storage.Source.Open();

            for (var done = 0L; done < storage.Length; done += _buffer.Length)
            {
                var chunk = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, storage.Length - done));

                reader.Read(storage.Offset + done, chunk);
                crc.Append(chunk);
                RandomAccess.Write(_file, chunk, record.DataOffset + done);
            }

            Close(record, crc);
        }

        public void End()
        {
            var length = _directory.Length;
            _directory.Write(ZipRecord.DirectoryEnd(_end, length, _count));
            RandomAccess.Write(_file, _directory.ToArray(), _end);
        }

        public void Dispose()
        {
            _file.Dispose();
            _directory.Dispose();
        }

        private void Close(ZipRecord record, IChecksum checksum)
        {
            var crc = checksum.GetAndReset();

            RandomAccess.Write(_file, record.LocalHeader(), record.HeaderOffset);
            RandomAccess.Write(_file, record.Descriptor(crc), record.DataEnd);
            _directory.Write(record.CentralHeader(crc));
            _end = record.End;
            _count++;
        }
    }
}
