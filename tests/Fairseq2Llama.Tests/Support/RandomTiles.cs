namespace Fairseq2Llama.Tests.Support;

/// <summary>Cuts a tensor in two along any dim, and the pieces again, as no program would, and keeps each box in a storage of its own.</summary>
internal static class RandomTiles
{
    /// <summary>The boxes, in any order; empty ones among them.</summary>
    public static TensorSlice Cut(NaiveView whole, int cuts, Random random)
    {
        var tiles = new List<(NaiveView Box, long[] Offsets)> { (whole, new long[whole.Sizes.Length]) };

        for (var i = 0; i < cuts && whole.Sizes.Length > 0; i++)
        {
            var index = random.Next(tiles.Count);
            var (box, offsets) = tiles[index];
            var dim = random.Next(box.Sizes.Length);
            var cut = random.NextInt64(box.Sizes[dim] + 1);
            long[] further = [.. offsets];
            further[dim] += cut;

            tiles[index] = (box.Slice(dim, 0, cut), offsets);
            tiles.Add((box.Slice(dim, cut, box.Sizes[dim]), further));
        }

        var parts = tiles.Select(tile => new TensorPart(Store(tile.Box, random), tile.Offsets)).ToArray();
        random.Shuffle(parts);
        return new TensorSlice([.. parts], new TensorShape(whole.Sizes));
    }

    /// <summary>A box as a file of its own has it: contiguous, with its dims in another order, or with other numbers between its own.</summary>
    private static TensorView Store(NaiveView box, Random random)
    {
        int[] order = [.. Enumerable.Range(0, box.Sizes.Length)];
        var spread = random.Next(4) == 0 ? 2 : 1;

        if (random.Next(3) == 0)
        {
            random.Shuffle(order);
        }

        var stored = box.Permute(order);
        var itemSize = box.DType.GetItemSize();
        var elements = stored.Read();
        var storage = new byte[(elements.Length * spread) + (3 * itemSize)];
        random.NextBytes(storage);

        for (var i = 0; i < elements.Length / itemSize; i++)
        {
            elements.AsSpan(i * itemSize, itemSize).CopyTo(storage.AsSpan((3 + (i * spread)) * itemSize));
        }

        var copy = NaiveView.Contiguous(storage, box.DType, stored.Sizes);
        var view = copy with { Offset = 3, Strides = [.. copy.Strides.Select(stride => stride * spread)] };
        return view.Permute([.. order.Select((_, dim) => Array.IndexOf(order, dim))]).On(new MemorySource(storage), 0);
    }
}
