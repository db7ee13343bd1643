namespace Fairseq2Llama.Benchmark;

/// <summary>Why there is nothing to measure; the message is for who started it.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
