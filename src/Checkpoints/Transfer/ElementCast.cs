using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>Casts elements to another type.</summary>
internal sealed class ElementCast(DType from, DType to) : IBlockTransform
{
    public int InputBlockSize { get; } = LengthOfBlock(from, from, to);

    public int OutputBlockSize { get; } = LengthOfBlock(to, from, to);

    /// <summary>How many finite numbers have become infinite so far.</summary>
    public long Overflows { get; private set; }

    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        ThirdParty.TensorMath.Cast(from, input, to, output);

        // Mostly there are none, and then those that were infinite before need not be told from them.
        if (CountInfinities(to, output) is > 0 and var infinities)
        {
            Overflows += infinities - CountInfinities(from, input);
        }
    }

    /// <summary>As many elements as belong together in either type.</summary>
    private static int LengthOfBlock(DType dtype, DType from, DType to) =>
        (int)DTypeInfo.Of(dtype).LengthOf(Math.Max(DTypeInfo.Of(from).ElementsPerBlock, DTypeInfo.Of(to).ElementsPerBlock));

    private static long CountInfinities(DType dtype, ReadOnlySpan<byte> chunk)
    {
        var counter = new NonFiniteCounter(dtype);
        counter.Add(chunk);
        return counter.Infinities;
    }
}
