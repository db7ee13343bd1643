namespace Fairseq2Llama.Tensors;

/// <summary>Which bit patterns of a floating-point type are finite, infinite and NaN.</summary>
/// <param name="LargestFinite">The bits of its largest finite value: but for the sign, greater ones are not finite.</param>
/// <param name="HasInfinity">Whether the next pattern is infinity; all others are NaN.</param>
internal sealed record FloatFormat(ulong LargestFinite, bool HasInfinity = true);
