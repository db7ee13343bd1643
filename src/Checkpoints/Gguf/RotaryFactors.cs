using System.Runtime.InteropServices;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Gguf;

/// <summary>
/// The tensor rope_freqs.weight, by which llama.cpp divides the rotary frequencies of LLaMA 3.1 and newer; no key of the metadata says how they are scaled.
/// Each step is rounded to float32, as in the converter of llama.cpp (generate_extra_tensors of conversion/llama.py), so that it has the same bits.
/// </summary>
internal static class RotaryFactors
{
    public const string TensorName = "rope_freqs.weight";

    /// <summary>Far more than half the head of any LLaMA.</summary>
    private const int MaxCount = 4096;

    /// <summary>Other programs may have rounded otherwise.</summary>
    private const float Tolerance = 1e-4f;

    /// <param name="headDim">The width of a head; there is a factor for each pair in it.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="scale">By how much the longest waves are stretched.</param>
    public static float[] Compute(int headDim, double theta, double scale)
    {
        const float LongestUnscaled = RotaryScale.OriginalMaxSeqLen / (float)RotaryScale.HighFrequencyFactor;
        const float ShortestScaled = RotaryScale.OriginalMaxSeqLen / (float)RotaryScale.LowFrequencyFactor;

        return [.. Enumerable.Range(0, headDim / 2).Select(pair =>
        {
            var frequency = 1 / (float)Math.Pow((float)theta, 2f * pair / headDim);
            var length = 1 / frequency * MathF.Tau;

            if (length < LongestUnscaled)
            {
                return 1f;
            }

            if (length > ShortestScaled)
            {
                return (float)scale;
            }

            var smooth = ((1 / length * RotaryScale.OriginalMaxSeqLen) - (float)RotaryScale.LowFrequencyFactor)
                / (float)(RotaryScale.HighFrequencyFactor - RotaryScale.LowFrequencyFactor);
            return 1 / (((1 - smooth) / (float)scale) + smooth);
        })];
    }

    /// <summary>The scale with which they were computed. To find it, they are read.</summary>
    /// <exception cref="CheckpointException">They are others than LLaMA 3.1's.</exception>
    public static double? FindScale(GgufFile file, int headDim, double theta)
    {
        if (file.Tensors.FirstOrDefault(tensor => tensor.Key == TensorName) is not { Value: { } tensor })
        {
            return null;
        }

        if (tensor.DType != DType.Float32 || tensor.Shape.ElementCount != headDim / 2 || headDim / 2 > MaxCount)
        {
            throw Unknown(file);
        }

        var factors = new float[headDim / 2];
        using var reader = file.Source.Open();
        reader.Read(tensor.Storage.Offset, MemoryMarshal.AsBytes(factors.AsSpan()));

        double? scale = factors[^1] == 1 ? null : factors[^1];
        var expected = scale is { } found ? Compute(headDim, theta, found) : [.. Enumerable.Repeat(1f, factors.Length)];
        return factors.Zip(expected).All(pair => MathF.Abs(pair.First - pair.Second) <= Tolerance * pair.Second) ? scale : throw Unknown(file);
    }

    private static CheckpointException Unknown(GgufFile file) => new(
        CheckpointErrorCode.ArchitectureMismatch,
        $"'{TensorName}' of '{file.Source.Name}' scales rotary encoding in another way than LLaMA 3.1, which other formats can't express.",
        file.Source.Name);
}
