using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Sums up a million numbers (1,048,576) in memory, on one thread.</summary>
public class Sums
{
    private const int Count = 1 << 20;

    private byte[] _numbers = [];

    /// <summary>Their type.</summary>
    [Params(DType.BFloat16, DType.Float16, DType.Float32)]
    public DType DType { get; set; }

    /// <summary>Makes the numbers.</summary>
    [GlobalSetup]
    public void MakeNumbers() => _numbers = RandomNumbers.Weights(DType, Count);

    /// <summary>What Measure-CheckpointTensor does.</summary>
    [Benchmark]
    public double Measure() => ThirdParty.TensorMath.Measure(DType, _numbers).Mean;

    /// <summary>What Compare-LlamaCheckpoint does with numbers that are the same.</summary>
    [Benchmark]
    public double Compare() => ThirdParty.TensorMath.Compare(DType, _numbers, DType, _numbers).Max;
}
