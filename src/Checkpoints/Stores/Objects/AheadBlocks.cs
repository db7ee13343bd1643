namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// The ranges of an object that were announced, as blocks in the order in which they will be read. No byte is in two of them. Tensors of a layer are
/// often read in another order than that of the file; what is read soon after each other shares blocks, whatever its order.
/// </summary>
/// <param name="length">Bytes of the object.</param>
/// <param name="blockSize">Bytes that a block may have.</param>
/// <param name="groupSize">How many bytes count as read soon after each other. All their blocks may have to be in memory at the same time.</param>
internal sealed class AheadBlocks(long length, int blockSize, long groupSize)
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
        foreach (var run in Join([.. ranges.Where(range => range.Offset >= 0 && range.Length > 0 && range.Length <= length - range.Offset)]))
        {
            Add(run);
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

    /// <param name="run">Ranges that lie close together, in the order of the file.</param>
    private void Add(List<Announced> run)
    {
        var all = new ByteRange(run[0].Range.Offset, run.Max(announced => announced.Range.End) - run[0].Range.Offset);

        var parts =
            from range in Uncovered(all).SelectMany(Cut)
            let wanted = run.Where(announced => announced.Range.Offset < range.End && announced.Range.End > range.Offset).ToArray()
            where wanted.Length > 0
            orderby wanted.Min(announced => announced.Number), range.Offset
            select (range, wanted);

        foreach (var (range, wanted) in parts.ToArray())
        {
            var block = new AheadBlock(_sequence.Count, range, CountWanted(range, wanted));
            _sequence.Add(block);
            _byOffset.Add(range.Offset, block);
        }
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

    /// <summary>What of a range is in no block yet. The blocks that it is in are announced again.</summary>
    private List<ByteRange> Uncovered(ByteRange range)
    {
        var parts = new List<ByteRange>();
        var start = range.Offset;

        for (var index = Math.Max(0, IndexAt(start)); index < _byOffset.Count && _byOffset.Keys[index] < range.End; index++)
        {
            var block = _byOffset.Values[index];
            var present = block.Range;

            if (present.End > range.Offset)
            {
                block.Announce();
            }

            if (present.Offset > start)
            {
                parts.Add(new ByteRange(start, present.Offset - start));
            }

            start = Math.Max(start, present.End);
        }

        if (start < range.End)
        {
            parts.Add(new ByteRange(start, range.End - start));
        }

        return parts;
    }

    /// <summary>As many pieces as it takes for each to fit into a block.</summary>
    private IEnumerable<ByteRange> Cut(ByteRange range)
    {
        for (var start = range.Offset; start < range.End; start += blockSize)
        {
            yield return new ByteRange(start, Math.Min(blockSize, range.End - start));
        }
    }

    /// <summary>
    /// Ranges that lie close together and are read soon after each other, in the order of the file: with each range that has no run yet, those around
    /// it that follow it in the order of reading.
    /// </summary>
    private IEnumerable<List<Announced>> Join(ByteRange[] ranges)
    {
        Announced[] sorted = [.. ranges.Select((range, number) => new Announced(number, range)).OrderBy(announced => announced.Range.Offset)];
        var places = new int[ranges.Length];
        var isInRun = new bool[ranges.Length];
        var (end, size) = (0, 0L);

        for (var place = 0; place < sorted.Length; place++)
        {
            places[sorted[place].Number] = place;
        }

        for (var number = 0; number < ranges.Length; size -= ranges[number++].Length)
        {
            while (end < ranges.Length && (end == number || size + ranges[end].Length <= groupSize))
            {
                size += ranges[end++].Length;
            }

            if (!isInRun[number])
            {
                yield return Surround(places[number]);
            }
        }

        List<Announced> Surround(int place)
        {
            var (first, last) = (place, place);

            while (first > 0 && Continues(sorted[first - 1], sorted[first].Range.Offset - sorted[first - 1].Range.End))
            {
                first--;
            }

            for (var runEnd = sorted[last].Range.End; last + 1 < sorted.Length && Continues(sorted[last + 1], sorted[last + 1].Range.Offset - runEnd); last++)
            {
                runEnd = Math.Max(runEnd, sorted[last + 1].Range.End);
            }

            List<Announced> run = [.. sorted[first..(last + 1)]];
            run.ForEach(announced => isInRun[announced.Number] = true);
            return run;
        }

        bool Continues(Announced next, long gap) => gap <= MaxGap && next.Number < end && !isInRun[next.Number];
    }

    /// <summary>How many bytes of a block will be read, each counted once.</summary>
    private static long CountWanted(ByteRange block, IEnumerable<Announced> sorted)
    {
        var (wanted, start) = (0L, block.Offset);

        foreach (var (_, range) in sorted)
        {
            var end = Math.Min(range.End, block.End);
            wanted += Math.Max(0, end - Math.Max(start, range.Offset));
            start = Math.Max(start, end);
        }

        return wanted;
    }

    /// <param name="Number">Its place in the order of reading.</param>
    /// <param name="Range">Where it is.</param>
    private readonly record struct Announced(int Number, ByteRange Range);
}
