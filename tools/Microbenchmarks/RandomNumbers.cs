using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Microbenchmarks;

/// <summary>Numbers like those of a trained model, the same ones each time.</summary>
internal static class RandomNumbers
{
    private const int Seed = 1;

    private const float Spread = 0.04f;

    public static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(Seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Weights(DType dtype, int count)
    {
        var random = new Random(Seed);
        var weights = new float[count];

        for (var i = 0; i < count; i++)
        {
            weights[i] = (random.NextSingle() - 0.5f) * Spread;
        }

        var bytes = new byte[count * dtype.GetItemSize()];
        ThirdParty.TensorMath.Cast(DType.Float32, MemoryMarshal.AsBytes<float>(weights), dtype, bytes);
        return bytes;
    }
}
