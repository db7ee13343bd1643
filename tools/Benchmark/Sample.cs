namespace Fairseq2Llama.Benchmark;

/// <summary>What one run took.</summary>
/// <param name="Seconds">From start to end.</param>
/// <param name="PeakBytes">The most memory that the process ever had resident, mapped files included; null where nothing tells.</param>
internal readonly record struct Sample(double Seconds, long? PeakBytes);
