using System.Numerics.Tensors;

namespace Fairseq2Llama.Adapters;

/// <summary>Counts how many numbers fall into bins of equal width.</summary>
/// <param name="min">Where the first begins.</param>
/// <param name="max">Where the last ends.</param>
/// <param name="binCount">How many there are.</param>
internal sealed class BinCounter(double min, double max, int binCount)
{
    /// <summary>A processor can't add to the same place twice at a time, and most numbers fall into a few bins.</summary>
    private const int Ways = 4;

    private readonly long[] _counts = new long[Ways * binCount];
    private readonly double[] _places = new double[NumberBlock.Length];
    private readonly int[] _bins = new int[NumberBlock.Length];

    /// <param name="numbers">A block at most.</param>
    public void Add(ReadOnlySpan<double> numbers)
    {
        var places = _places.AsSpan(0, numbers.Length);
        var bins = _bins.AsSpan(0, numbers.Length);

        // In the order of torch.histc, because any other rounds some numbers on the edge of two bins into the other one.
        TensorPrimitives.Subtract(numbers, min, places);
        TensorPrimitives.Divide(places, max - min, places);
        TensorPrimitives.Multiply(places, binCount, places);

        if (!double.IsFinite(TensorPrimitives.Sum<double>(places)))
        {
            places = places[..MoveFiniteToFront(numbers, places)];
        }

        TensorPrimitives.ConvertTruncating<double, int>(places, bins);

        for (var i = 0; i < places.Length; i++)
        {
            _counts[(Math.Min(bins[i], binCount - 1) * Ways) + (i % Ways)]++;
        }
    }

    public void AddTo(Span<long> bins)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            bins[i / Ways] += _counts[i];
        }
    }

    private static int MoveFiniteToFront(ReadOnlySpan<double> numbers, Span<double> places)
    {
        var count = 0;

        for (var i = 0; i < numbers.Length; i++)
        {
            if (double.IsFinite(numbers[i]))
            {
                places[count++] = places[i];
            }
        }

        return count;
    }
}
