namespace Fairseq2Llama.Stores.Objects;

/// <summary>The ranges of an object that were announced, as blocks in the order in which they will be read. No byte is in two of them.</summary>
/// <param name="length">Bytes of the object.</param>
/// <param name="blockSize">Bytes that a block may have.</param>
internal sealed class AheadBlocks(long length, int blockSize)
{
    /// <summary>The number of bytes that take no longer than another request.</summary>
    private const int MaxGap = 256 << 10;

    private readonly List<AheadBlock> _sequence = [];
    private readonly SortedList<long, AheadBlock> _byOffset = [];

    /// <summary>How many there are.</summary>
    public int Count => _sequence.Count;

    /// <summary>The block of a number.</summary>
    public AheadBlock this[int number] => _sequence[number];

    /// <param name="ranges">In the order in which they will be read. Those that were announced before keep their place.</param>
    public void Add(IReadOnlyList<ByteRange> ranges)
    {
        foreach (var range in Join(ranges))
        {
            foreach (var part in Uncovered(range))
            {
                Add(part);
            }
        }
    }

    /// <summary>The block at an offset; or none, and where the next one begins.</summary>
    public (AheadBlock? Block, long End) Find(long offset)
    {
        var index = IndexAt(offset);

        return index >= 0 && _byOffset.Values[index] is var block && block.Range.End > offset
            ? (block, block.Range.End)
            : (null, index + 1 < _byOffset.Count ? _byOffset.Keys[index + 1] : long.MaxValue);
    }

    private void Add((ByteRange Range, long Wanted) part)
    {
        var block = new AheadBlock(_sequence.Count, part.Range, Math.Min(part.Wanted, part.Range.Length));
        _sequence.Add(block);
        _byOffset.Add(part.Range.Offset, block);
    }

    /// <summary>The index of the last block that begins at an offset or before it; -1 where there is none.</summary>
    private int IndexAt(long offset)
    {
        var (low, high) = (0, _byOffset.Count);

        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _byOffset.Keys[middle] <= offset ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    /// <summary>What of a range is in no block yet.</summary>
    private List<(ByteRange Range, long Wanted)> Uncovered((ByteRange Range, long Wanted) joined)
    {
        var parts = new List<(ByteRange, long)>();
        var (range, start) = (joined.Range, joined.Range.Offset);

        for (var index = Math.Max(0, IndexAt(start)); index < _byOffset.Count && _byOffset.Keys[index] < range.End; index++)
        {
            var present = _byOffset.Values[index].Range;

            if (present.Offset > start)
            {
                parts.Add((new ByteRange(start, present.Offset - start), present.Offset - start));
            }

            start = Math.Max(start, present.End);
        }

        if (start < range.End)
        {
            parts.Add((new ByteRange(start, range.End - start), start == range.Offset ? joined.Wanted : range.End - start));
        }

        return parts;
    }

    /// <summary>Ranges that follow each other closely become one, and large ones several, so that each fits into a block.</summary>
    private List<(ByteRange Range, long Wanted)> Join(IReadOnlyList<ByteRange> ranges)
    {
        var joined = new List<(ByteRange Range, long Wanted)>();

        foreach (var range in ranges.Where(range => range.Offset >= 0 && range.Length > 0 && range.Length <= length - range.Offset))
        {
            if (joined.Count > 0 && joined[^1] is var (last, wanted)
                && range.Offset >= last.Offset && range.Offset - last.End <= MaxGap && range.End - last.Offset <= blockSize)
            {
                joined[^1] = (last with { Length = Math.Max(last.End, range.End) - last.Offset }, wanted + range.Length);
                continue;
            }

            for (var start = range.Offset; start < range.End; start += blockSize)
            {
                var size = Math.Min(blockSize, range.End - start);
                joined.Add((new ByteRange(start, size), size));
            }
        }

        return joined;
    }
}
