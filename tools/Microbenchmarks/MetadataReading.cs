using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Distributed;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Reads the metadata of a distributed checkpoint of some hundred tensors, each of which many ranks have saved a part of.</summary>
[MemoryDiagnoser]
public class MetadataReading : IDisposable
{
    private const int Layers = 20;

    private ScratchFile? _file;

    /// <summary>How many ranks saved it.</summary>
    [Params(16, 256)]
    public int Ranks { get; set; }

    /// <summary>Tensors of the optimizer beside each weight.</summary>
    [Params(0, 3)]
    public int StatesPerWeight { get; set; }

    /// <summary>Makes the file.</summary>
    [GlobalSetup]
    public void MakeFile() => _file = new ScratchFile(new MetadataPickle(Layers, Ranks, StatesPerWeight).Write());

    /// <summary>Takes it away.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _file?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The file alone.</summary>
    [Benchmark]
    public int Metadata() => MetadataFile.Read(_file!.Source, CancellationToken.None).Items.Entries.Count;

    /// <summary>The file, and where in which file each part of the weights lies.</summary>
    [Benchmark]
    public int Index()
    {
        var index = new MetadataIndex(new HollowFolder(), ".metadata", [MetadataFile.Read(_file!.Source, CancellationToken.None)]);
        return index.Find([.. index.Names.Where(name => !name.StartsWith("optimizer.", StringComparison.Ordinal))], CancellationToken.None).Sum(tensor => tensor.Chunks.Length);
    }
}
