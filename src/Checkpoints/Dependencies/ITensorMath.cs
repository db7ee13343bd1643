using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Dependencies;

/// <summary>
/// All arithmetic on tensor data. Implemented by Fairseq2Llama.Torch, the only assembly that references TorchSharp. Chunks are whole
/// elements, little-endian, of any length; methods may be called from several threads at once.
/// </summary>
internal interface ITensorMath
{
    /// <summary>Sums up a chunk in float64. A complex number is two numbers.</summary>
    TensorMoments Measure(DType dtype, ReadOnlySpan<byte> chunk);

    /// <summary>Adds to bins of equal width how many finite numbers fall into each, as torch.histc does: the last bin includes its upper end.</summary>
    /// <param name="dtype">The chunk's element type.</param>
    /// <param name="chunk">The numbers.</param>
    /// <param name="min">Where the first bin begins.</param>
    /// <param name="max">Where the last bin ends; greater than <paramref name="min"/>.</param>
    /// <param name="bins">The counts.</param>
    void CountBins(DType dtype, ReadOnlySpan<byte> chunk, double min, double max, Span<long> bins);

    /// <summary>Compares numbers in float64. The chunks have the same number of elements.</summary>
    DifferenceSums Compare(DType referenceDType, ReadOnlySpan<byte> reference, DType differenceDType, ReadOnlySpan<byte> difference);

    /// <summary>Casts a chunk as torch.Tensor.to does: rounding to the nearest, what is too large becoming infinite.</summary>
    /// <param name="from">The element type of <paramref name="source"/>.</param>
    /// <param name="source">The numbers.</param>
    /// <param name="to">The element type of <paramref name="target"/>.</param>
    /// <param name="target">Room for as many elements.</param>
    void Cast(DType from, ReadOnlySpan<byte> source, DType to, Span<byte> target);

    /// <summary>Makes a tensor in memory.</summary>
    /// <param name="dtype">Its element type.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="fill">Puts its elements, in row-major order, into the sink that it is given.</param>
    /// <returns>A TorchSharp.torch.Tensor that belongs to the caller.</returns>
    /// <exception cref="CheckpointException">There is too little memory.</exception>
    object CreateTensor(DType dtype, TensorShape shape, Action<ChunkSink> fill);

    /// <summary>Maps a part of a file into memory, copy on write: nothing is read before it is used, and nothing written back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">Where the first element lies; a multiple of the element size.</param>
    /// <param name="tensor">Its element type, shape and strides.</param>
    /// <returns>A TorchSharp.torch.Tensor that belongs to the caller.</returns>
    /// <exception cref="CheckpointException">The file can't be mapped.</exception>
    object MapTensor(string path, long offset, TensorView tensor);
}
