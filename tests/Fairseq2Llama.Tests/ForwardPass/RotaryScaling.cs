namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>How LLaMA 3.1 slows down rotary encoding for a context that is longer than the one that it was trained on first.</summary>
/// <param name="Factor">By which low frequencies are divided.</param>
/// <param name="LowFrequencyFactor">In the original context a pair that turns less often is scaled in full.</param>
/// <param name="HighFrequencyFactor">In the original context a pair that turns more often is not scaled.</param>
/// <param name="OriginalContextLength">What LLaMA 3 was trained on.</param>
internal sealed record RotaryScaling(
    double Factor, double LowFrequencyFactor = 1, double HighFrequencyFactor = 4, double OriginalContextLength = 8192)
{
    /// <summary>apply_scaling of Meta's models/llama3/model.py, which has only the factor as a parameter.</summary>
    public double Apply(double frequency)
    {
        var wavelength = 2 * Math.PI / frequency;
        var smooth = ((OriginalContextLength / wavelength) - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);

        return wavelength switch
        {
            _ when wavelength < OriginalContextLength / HighFrequencyFactor => frequency,
            _ when wavelength > OriginalContextLength / LowFrequencyFactor => frequency / Factor,
            _ => ((1 - smooth) * frequency / Factor) + (smooth * frequency),
        };
    }
}
