namespace Fairseq2Llama.Distributed;

/// <summary>Checks that boxes tile a tensor: that they lie in it, do not overlap, and leave nothing out.</summary>
internal static class ChunkTiling
{
    /// <param name="chunks">Boxes with elements, in any number of dims, by their places.</param>
    /// <param name="shape">The tensor.</param>
    /// <returns>What is wrong, as a clause without a subject; null if nothing is.</returns>
    public static string? FindFault(ReadOnlySpan<DistributedChunk> chunks, TensorShape shape)
    {
        if (AreSlices(chunks, shape))
        {
            return null;
        }

        Int128 covered = 0;

        foreach (var chunk in chunks)
        {
            if (!LiesIn(chunk, shape))
            {
                return $"has a part of {Show(chunk.Sizes)} at {Show(chunk.Offsets)}, which lies outside of it";
            }

            covered += chunk.Sizes.Aggregate((Int128)1, (product, size) => product * size);
        }

        return FindOverlap(chunks, shape.Count) is { } at ? $"has two parts that overlap at {at}"
            : covered != shape.ElementCount ? $"is not complete: {covered} of its {shape.ElementCount} elements are there"
            : null;
    }

    /// <summary>Whether boxes are slices of the tensor along one dim, one after the other: what FSDP makes of a tensor on a thousand ranks is seen at a glance.</summary>
    private static bool AreSlices(ReadOnlySpan<DistributedChunk> chunks, TensorShape shape)
    {
        var cut = chunks.IsEmpty || chunks[0].Sizes.Length != shape.Count ? -1 : chunks[0].Sizes.AsSpan().CommonPrefixLength(shape.Sizes.AsSpan());

        if (cut < 0 || cut >= shape.Count)
        {
            return false;
        }

        var end = 0L;

        foreach (var chunk in chunks)
        {
            if (chunk.Offsets.Length != shape.Count || chunk.Sizes.Length != shape.Count || chunk.Offsets[cut] != end || chunk.Sizes[cut] > shape[cut] - end)
            {
                return false;
            }

            for (var dim = 0; dim < shape.Count; dim++)
            {
                if (dim != cut && (chunk.Offsets[dim] != 0 || chunk.Sizes[dim] != shape[dim]))
                {
                    return false;
                }
            }

            end += chunk.Sizes[cut];
        }

        return end == shape[cut];
    }

    private static bool LiesIn(DistributedChunk chunk, TensorShape shape)
    {
        if (chunk.Offsets.Length != shape.Count || chunk.Sizes.Length != shape.Count)
        {
            return false;
        }

        for (var dim = 0; dim < shape.Count; dim++)
        {
            if (chunk.Offsets[dim] > shape[dim] || chunk.Sizes[dim] > shape[dim] - chunk.Offsets[dim])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Goes along the dim that is cut most often with those boxes in hand that are there, and compares each new one with these: there are few of them in every
    /// way in which programs divide tensors.
    /// </summary>
    private static string? FindOverlap(ReadOnlySpan<DistributedChunk> chunks, int dims)
    {
        if (dims == 0)
        {
            return chunks.Length > 1 ? "its only element" : null;
        }

        var all = chunks.ToArray();
        var along = Enumerable.Range(0, dims).MaxBy(dim => all.Select(chunk => chunk.Offsets[dim]).Distinct().Count());
        Array.Sort(all, (left, right) => left.Offsets[along].CompareTo(right.Offsets[along]));
        var current = new List<DistributedChunk>();

        foreach (var chunk in all)
        {
            current.RemoveAll(other => other.Offsets[along] + other.Sizes[along] <= chunk.Offsets[along]);

            foreach (var other in current)
            {
                if (Overlap(chunk, other))
                {
                    return Show(chunk.Offsets.Zip(other.Offsets, Math.Max));
                }
            }

            current.Add(chunk);
        }

        return null;
    }

    private static bool Overlap(DistributedChunk one, DistributedChunk other)
    {
        for (var dim = 0; dim < one.Offsets.Length; dim++)
        {
            if (one.Offsets[dim] >= other.Offsets[dim] + other.Sizes[dim] || other.Offsets[dim] >= one.Offsets[dim] + one.Sizes[dim])
            {
                return false;
            }
        }

        return true;
    }

    private static string Show(IEnumerable<long> numbers) => $"({string.Join(", ", numbers)})";
}
