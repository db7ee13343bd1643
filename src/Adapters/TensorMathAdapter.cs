using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Adapters;

/// <summary>Arithmetic block by block, so that numbers stay in the processor's cache while they are widened and worked on.</summary>
internal sealed class TensorMathAdapter : ITensorMath
{
    /// <inheritdoc/>
    public TensorMoments Measure(DType dtype, ReadOnlySpan<byte> chunk)
    {
        Span<double> buffer = stackalloc double[NumberBlock.Length];
        var moments = TensorMoments.None;
        var size = NumberBlock.NumberSize(dtype);

        while (!chunk.IsEmpty)
        {
            var block = TakeBlock(ref chunk, size);
            var numbers = buffer[..(block.Length / size)];

            if (dtype == DType.BFloat16)
            {
                moments = moments.Merge(BlockMoments.OfBFloat16(MemoryMarshal.Cast<byte, short>(block), numbers));
                continue;
            }

            NumberBlock.ToFloat64(dtype, block, numbers);
            moments = moments.Merge(BlockMoments.Of(numbers));
        }

        return moments;
    }

    /// <inheritdoc/>
    public void CountBins(DType dtype, ReadOnlySpan<byte> chunk, double min, double max, Span<long> bins)
    {
        Span<double> buffer = stackalloc double[NumberBlock.Length];
        var counter = new BinCounter(min, max, bins.Length);
        var size = NumberBlock.NumberSize(dtype);

        while (!chunk.IsEmpty)
        {
            var block = TakeBlock(ref chunk, size);
            var numbers = buffer[..(block.Length / size)];
            NumberBlock.ToFloat64(dtype, block, numbers);
            counter.Add(numbers);
        }

        counter.AddTo(bins);
    }

    /// <inheritdoc/>
    public DifferenceSums Compare(DType referenceDType, ReadOnlySpan<byte> reference, DType differenceDType, ReadOnlySpan<byte> difference)
    {
        Span<double> left = stackalloc double[NumberBlock.Length];
        Span<double> right = stackalloc double[NumberBlock.Length];
        var sums = DifferenceSums.None;
        var (leftSize, rightSize) = (NumberBlock.NumberSize(referenceDType), NumberBlock.NumberSize(differenceDType));

        while (!reference.IsEmpty)
        {
            var leftBlock = TakeBlock(ref reference, leftSize);
            var rightBlock = TakeBlock(ref difference, rightSize);
            var count = leftBlock.Length / leftSize;

            // Most compared data is the same, and then one sum is enough.
            var isSame = referenceDType == differenceDType && leftBlock.SequenceEqual(rightBlock);

            if (isSame && referenceDType == DType.BFloat16)
            {
                sums = sums.Merge(BlockDifferences.OfSameBFloat16(MemoryMarshal.Cast<byte, ushort>(leftBlock)));
                continue;
            }

            NumberBlock.ToFloat64(referenceDType, leftBlock, left[..count]);

            if (isSame)
            {
                sums = sums.Merge(BlockDifferences.OfSame(left[..count]));
                continue;
            }

            NumberBlock.ToFloat64(differenceDType, rightBlock, right[..count]);
            sums = sums.Merge(BlockDifferences.Of(left[..count], right[..count]));
        }

        return sums;
    }

    /// <inheritdoc/>
    public void Scale(DType dtype, ReadOnlySpan<byte> chunk, float factor, Span<float> products)
    {
        var size = dtype.GetItemSize();

        while (!chunk.IsEmpty)
        {
            var block = TakeBlock(ref chunk, size);
            var numbers = products[..(block.Length / size)];
            NumberBlock.ToFloat32(dtype, block, numbers);
            TensorPrimitives.Multiply(numbers, factor, numbers);
            products = products[numbers.Length..];
        }
    }

    /// <inheritdoc/>
    public void AddScaled(DType dtype, ReadOnlySpan<byte> chunk, float factor, Span<float> sums)
    {
        Span<float> buffer = stackalloc float[NumberBlock.Length];
        var size = dtype.GetItemSize();

        while (!chunk.IsEmpty)
        {
            var block = TakeBlock(ref chunk, size);
            var numbers = buffer[..(block.Length / size)];
            NumberBlock.ToFloat32(dtype, block, numbers);

            // Unlike a fused one, it rounds the products.
            TensorPrimitives.MultiplyAdd(numbers, factor, sums[..numbers.Length], sums[..numbers.Length]);
            sums = sums[numbers.Length..];
        }
    }

    /// <inheritdoc/>
    public void Divide(Span<float> numbers, float divisor) => TensorPrimitives.Divide(numbers, divisor, numbers);

    /// <inheritdoc/>
    public void Cast(DType from, ReadOnlySpan<byte> source, DType to, Span<byte> target)
    {
        if (to == DType.Float32)
        {
            NumberBlock.ToFloat32(from, source, MemoryMarshal.Cast<byte, float>(target));
            return;
        }

        if (from == DType.BFloat16 && to == DType.Float16)
        {
            Float16Rounding.Round(MemoryMarshal.Cast<byte, short>(source), MemoryMarshal.Cast<byte, short>(target));
            return;
        }

        Span<float> buffer = stackalloc float[NumberBlock.Length];
        var (input, output) = (DTypeInfo.Of(from), DTypeInfo.Of(to));

        while (!source.IsEmpty)
        {
            var block = TakeBlock(ref source, input);

            // PyTorch goes by way of float32 as well: a float64 is rounded twice.
            var numbers = buffer[..(int)input.ElementsIn(block.Length)];
            NumberBlock.ToFloat32(from, block, numbers);

            switch (to)
            {
                case DType.Float16:
                    TensorPrimitives.ConvertToHalf(numbers, MemoryMarshal.Cast<byte, Half>(target));
                    break;
                case DType.Q8_0:
                    Q80Blocks.Quantize(numbers, target);
                    break;
                default:
                    BFloat16Rounding.Round(numbers, MemoryMarshal.Cast<byte, ushort>(target));
                    break;
            }

            target = target[(int)output.LengthOf(numbers.Length)..];
        }
    }

    private static ReadOnlySpan<byte> TakeBlock(ref ReadOnlySpan<byte> chunk, DTypeInfo type) => TakeBlock(ref chunk, type.BytesPerBlock, NumberBlock.Length / type.ElementsPerBlock);

    private static ReadOnlySpan<byte> TakeBlock(ref ReadOnlySpan<byte> chunk, int size, int count = NumberBlock.Length)
    {
        var block = chunk[..Math.Min(count * size, chunk.Length)];
        chunk = chunk[block.Length..];
        return block;
    }
}
