using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Checkpoints with checksums whose storages are large enough for it to be worth while to copy them without reading.</summary>
internal static class LargeStorages
{
    /// <summary>Some MB, of storages of some hundred KB.</summary>
    public static LlamaArchitecture Copyable { get; } = Make("large", dim: 256, layers: 2, vocabulary: 4096);

    /// <summary>170 MB, nine tenths of them in storages of more than 5 MiB, as S3 copies them.</summary>
    public static LlamaArchitecture CopyableInS3 { get; } = Make("larger", dim: 1024, layers: 1, vocabulary: 16384);

    /// <summary>Writes model.pt with random numbers.</summary>
    public static LlamaArchitecture Write(TempFolder folder, LlamaArchitecture architecture)
    {
        var random = new Random(1);
        var tensors =
            from parameter in LlamaParameter.All
            from name in parameter.NamesIn(architecture)
            let shape = new TensorShape([.. parameter.Dims.Select(dim => dim.SizeIn(architecture))])
            let bytes = RandomBytes(random, shape.ElementCount * 4)
            let storage = new StoredBytes { Source = new MemorySource(bytes), Record = name, Offset = 0, Length = bytes.Length }
            select new PlannedTensor(name, name, DType.Float32, shape, new PlannedStorage(DType.Float32, [RowBlock.Of(new ByteRuns(storage, 0, bytes.Length, []))]));

        TensorFiles.Write(new PlannedTensorFile("model.pt", new TorchContainer(), tensors), folder);
        return architecture;
    }

    private static LlamaArchitecture Make(string name, int dim, int layers, int vocabulary) => new()
    {
        Name = name,
        ModelDim = dim,
        NumLayers = layers,
        NumAttnHeads = 4,
        NumKeyValueHeads = 4,
        VocabSize = vocabulary,
        FfnInnerDimMultipleOf = 64,
    };

    private static byte[] RandomBytes(Random random, long length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
