namespace Fairseq2Llama.Dependencies;

/// <summary>
/// All arithmetic on tensor data. Chunks are whole elements, little-endian, of any length; methods may be called from several threads at once.
/// What they give depends on the numbers alone: sums are taken in the same order on every machine, however wide its vectors are.
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

    /// <summary>Multiplies each number with a factor, in float32.</summary>
    /// <param name="dtype">The chunk's element type, a real floating-point type.</param>
    /// <param name="chunk">The numbers.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="products">Room for as many numbers.</param>
    void Scale(DType dtype, ReadOnlySpan<byte> chunk, float factor, Span<float> products);

    /// <summary>As <see cref="Scale"/>, and adds each product, which is rounded before, to a sum.</summary>
    /// <param name="dtype">The chunk's element type, a real floating-point type.</param>
    /// <param name="chunk">The numbers.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="sums">As many sums.</param>
    void AddScaled(DType dtype, ReadOnlySpan<byte> chunk, float factor, Span<float> sums);

    /// <summary>Divides each number by a divisor.</summary>
    void Divide(Span<float> numbers, float divisor);

    /// <summary>Casts a chunk as torch.Tensor.to does: rounding to the nearest, what is too large becoming infinite.</summary>
    /// <param name="from">The element type of <paramref name="source"/>.</param>
    /// <param name="source">The numbers.</param>
    /// <param name="to">The element type of <paramref name="target"/>.</param>
    /// <param name="target">Room for as many elements.</param>
    void Cast(DType from, ReadOnlySpan<byte> source, DType to, Span<byte> target);
}
