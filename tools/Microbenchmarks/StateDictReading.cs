using System.Globalization;
using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Reads what a file of torch.save says of its tensors: 300 are a model of usual size, 20,000 one whose every expert is a tensor.</summary>
[MemoryDiagnoser]
public class StateDictReading : IDisposable
{
    private const string Name = "model.pt";

    private byte[] _pickle = [];
    private ScratchFile? _file;

    /// <summary>How many tensors there are.</summary>
    [Params(300, 20_000)]
    public int Tensors { get; set; }

    /// <summary>Makes the file.</summary>
    [GlobalSetup]
    public void MakeFile()
    {
        using var data = new ScratchFile([]);
        var tensors = Enumerable.Range(0, Tensors).Select(index => MakeTensor(index, data.Source)).ToArray();
        var layout = new TorchContainer().LayOut(Name, tensors);
        var file = new byte[layout.Length];

        var checksums = layout.Storages.Select(placed => ChecksumOfZeros(placed.Storage.Length)).ToArray();
        foreach (var (offset, bytes) in layout.Head.Concat(checksums.SelectMany((crc, index) => layout.FootOf(index, crc))).Concat(layout.Tail(checksums)))
        {
            bytes.CopyTo(file.AsMemory((int)offset));
        }

        _file = new ScratchFile(file);
        _pickle = StateDictPickle.Write(tensors, [.. tensors.Select(tensor => tensor.Storage)]);
    }

    /// <summary>Takes it away.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _file?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The pickle alone, which is in memory.</summary>
    [Benchmark]
    public int Pickle() => Unpickled.Read(new PickleBytes(_pickle, Name), new PickleBudget(Name), CancellationToken.None).Tensors.Count;

    /// <summary>All of it: the archive's directory, its headers, the pickle, and which tensor lies where.</summary>
    [Benchmark]
    public int WholeFile() => StateDict.In(TorchFile.Open(_file!.Source)).Entries.Count;

    private static PlannedTensor MakeTensor(int index, IByteSource data)
    {
        var shape = new TensorShape(4, 4);
        var name = string.Create(CultureInfo.InvariantCulture, $"decoder.layers.{index}.ffn.inner_proj.weight");
        var storage = new StoredBytes { Source = data, Record = name, Offset = 0, Length = shape.ElementCount * DType.BFloat16.GetItemSize() };

        return new PlannedTensor(name, name, DType.BFloat16, shape, new PlannedStorage(DType.BFloat16, [RowBlock.Of(new ByteRuns(storage, 0, storage.Length, []))]));
    }

    private static uint ChecksumOfZeros(long length)
    {
        var crc = ThirdParty.CreateCrc32();
        crc.Append(new byte[length]);
        return crc.GetAndReset();
    }
}
