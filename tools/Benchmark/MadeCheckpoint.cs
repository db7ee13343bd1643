namespace Fairseq2Llama.Benchmark;

/// <summary>A checkpoint that was made to be timed with.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Architecture">What it is a model of.</param>
/// <param name="Files">Its files, by rank.</param>
/// <param name="TensorCount">The tensors of one of them.</param>
internal sealed record MadeCheckpoint(string Path, LlamaArchitecture Architecture, IReadOnlyList<string> Files, int TensorCount)
{
    /// <summary>Bytes of all files.</summary>
    public long SizeInBytes { get; } = Files.Sum(file => new FileInfo(file).Length);
}
