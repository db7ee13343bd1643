using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>By how much rotary encoding turns each pair of a head's numbers. That is the same whichever numbers make a pair.</summary>
internal static class RotaryAngles
{
    /// <summary>What LLaMA 3 was trained on before LLaMA 3.1 scaled its encoding.</summary>
    private const double OriginalContextLength = 8192;

    /// <summary>In the original context a pair that turns less than once is scaled in full.</summary>
    private const double LowFrequencyFactor = 1;

    /// <summary>In the original context a pair that turns more often is not scaled.</summary>
    private const double HighFrequencyFactor = 4;

    /// <summary>Angles (position, half of the head dim), in radians.</summary>
    /// <param name="positions">How many, from 0.</param>
    /// <param name="headDim">The width of a head.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="scaleFactor">LLaMA 3.1's; null where the encoding is not scaled.</param>
    public static Tensor Of(int positions, int headDim, double theta, double? scaleFactor)
    {
        var frequencies = Enumerable.Range(0, headDim / 2)
            .Select(pair => 1.0 / Math.Pow(theta, 2.0 * pair / headDim))
            .Select(frequency => scaleFactor is { } factor ? Scale(frequency, factor) : frequency)
            .Select(frequency => (float)frequency)
            .ToArray();

        return outer(arange(positions, dtype: ScalarType.Float32), tensor(frequencies));
    }

    /// <summary>apply_scaling of Meta's models/llama3/model.py.</summary>
    private static double Scale(double frequency, double factor)
    {
        var wavelength = 2 * Math.PI / frequency;
        var smooth = ((OriginalContextLength / wavelength) - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);

        return wavelength switch
        {
            < OriginalContextLength / HighFrequencyFactor => frequency,
            > OriginalContextLength / LowFrequencyFactor => frequency / factor,
            _ => ((1 - smooth) * frequency / factor) + (smooth * frequency),
        };
    }
}
