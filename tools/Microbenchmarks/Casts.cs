using BenchmarkDotNet.Attributes;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Casts a million numbers (1,048,576) in memory, on one thread.</summary>
public class Casts
{
    private const int Count = 1 << 20;

    private readonly byte[] _float32 = RandomNumbers.Weights(DType.Float32, Count);

    private readonly byte[] _bfloat16 = RandomNumbers.Weights(DType.BFloat16, Count);

    private readonly byte[] _target = new byte[Count * sizeof(float)];

    /// <summary>2 MiB to 2 MiB.</summary>
    [Benchmark]
    public void BFloat16ToFloat16() => Cast(DType.BFloat16, _bfloat16, DType.Float16);

    /// <summary>4 MiB to 2 MiB.</summary>
    [Benchmark]
    public void Float32ToBFloat16() => Cast(DType.Float32, _float32, DType.BFloat16);

    /// <summary>2 MiB to 4 MiB.</summary>
    [Benchmark]
    public void BFloat16ToFloat32() => Cast(DType.BFloat16, _bfloat16, DType.Float32);

    /// <summary>4 MiB to 1 MiB and some more.</summary>
    [Benchmark]
    public void Float32ToQ80() => Cast(DType.Float32, _float32, DType.Q8_0);

    /// <summary>2 MiB to 1 MiB and some more.</summary>
    [Benchmark]
    public void BFloat16ToQ80() => Cast(DType.BFloat16, _bfloat16, DType.Q8_0);

    private void Cast(DType from, byte[] source, DType to) =>
        ThirdParty.TensorMath.Cast(from, source, to, _target.AsSpan(0, (int)DTypeInfo.Of(to).LengthOf(Count)));
}
