using System.Runtime.InteropServices;
using Fairseq2Llama.Tests.Support;
using Fairseq2Llama.TorchFiles.Writing;

namespace Fairseq2Llama.Tests.Merging;

/// <summary>A fairseq2 checkpoint with checksums, of finite random numbers. Its matrices are computed in several windows where they are not computed in any pieces.</summary>
internal static class FiniteModel
{
    public static LlamaArchitecture Architecture { get; } = new()
    {
        Name = "windows",
        ModelDim = 640,
        NumLayers = 1,
        NumAttnHeads = 4,
        NumKeyValueHeads = 2,
        VocabSize = 1000,
        FfnInnerDimMultipleOf = 64,
        FfnInnerDimMultiplier = 0.25,
    };

    /// <summary>Writes model.pt into a folder.</summary>
    /// <returns>The folder.</returns>
    public static string Write(string folder, int seed)
    {
        var random = new Random(seed);
        var tensors =
            from parameter in LlamaParameter.All
            from name in parameter.NamesIn(Architecture)
            select Make(name, [.. parameter.Dims.Select(dim => dim.SizeIn(Architecture))], random);

        return Write(folder, "model.pt", tensors);
    }

    /// <summary>Writes lora.pt, a LoRA of fairseq2, into a folder.</summary>
    /// <returns>Its path.</returns>
    public static string WriteLora(string folder, string module, long rows, long columns)
    {
        var random = new Random(3);
        return Path.Combine(Write(folder, "lora.pt", [Make($"{module}.lora_A", [5, columns], random), Make($"{module}.lora_B", [rows, 5], random)]), "lora.pt");
    }

    /// <summary>A tensor of random numbers.</summary>
    private static PlannedTensor Make(string name, long[] sizes, Random random)
    {
        var shape = new TensorShape(sizes);
        var numbers = new float[shape.ElementCount];

        foreach (ref var number in numbers.AsSpan())
        {
            number = random.NextSingle() - 0.5f;
        }

        var bytes = MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray();
        return new PlannedTensor(name, name, DType.Float32, shape, PlannedStorage.Of(NaiveView.Contiguous(bytes, DType.Float32, sizes).On(new MemorySource(bytes), origin: 0)));
    }

    private static string Write(string folder, string name, IEnumerable<PlannedTensor> tensors)
    {
        using var scratch = new TempFolder();
        var file = TensorFiles.Write(new PlannedTensorFile(name, new TorchContainer(), tensors), scratch);
        File.Move(file, Path.Combine(Directory.CreateDirectory(folder).FullName, name), overwrite: true);
        return folder;
    }
}
