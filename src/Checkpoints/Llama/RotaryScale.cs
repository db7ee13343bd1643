namespace Fairseq2Llama.Llama;

/// <summary>
/// The numbers of LLaMA 3.1's scaled rotary encoding: those of fairseq2's LLaMARoPEScaleConfig and of all published models, which differ in the
/// factor only.
/// </summary>
internal static class RotaryScale
{
    /// <summary>That of LLaMA 3.1, the first with it; LLaMA 3.2 has 32.</summary>
    public const double DefaultFactor = 8;

    public const double LowFrequencyFactor = 1, HighFrequencyFactor = 4;

    /// <summary>The length of sequences that the model was trained with at first.</summary>
    public const int OriginalMaxSeqLen = 8192;
}
