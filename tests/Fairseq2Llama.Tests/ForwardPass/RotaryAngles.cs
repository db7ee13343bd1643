using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>By how much rotary encoding turns each pair of a head's numbers. That is the same whichever numbers make a pair.</summary>
internal static class RotaryAngles
{
    /// <summary>Angles (position, half of the head dim), in radians.</summary>
    /// <param name="positions">How many, from 0.</param>
    /// <param name="headDim">The width of a head.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="scaling">LLaMA 3.1's; null where the encoding is not scaled.</param>
    public static Tensor Of(int positions, int headDim, double theta, RotaryScaling? scaling)
    {
        var frequencies = Enumerable.Range(0, headDim / 2)
            .Select(pair => 1.0 / Math.Pow(theta, 2.0 * pair / headDim))
            .Select(frequency => scaling?.Apply(frequency) ?? frequency)
            .Select(frequency => (float)frequency)
            .ToArray();

        return outer(tensor(Enumerable.Range(0, positions).Select(position => (float)position).ToArray()), tensor(frequencies));
    }
}
