namespace Fairseq2Llama.Stores.Objects;

/// <summary>A part of an object to be uploaded.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Offset">Where in the object it begins.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct ObjectPart(int Number, long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>How an object is divided into parts. Those of a range that could be copied inside the store begin where it does, as far as parts may be so small.</summary>
internal static class PartPlan
{
    /// <param name="length">Bytes of the object.</param>
    /// <param name="copyable">Ranges of it that could be copied; they do not overlap.</param>
    /// <param name="limits">The limits of the store.</param>
    public static IReadOnlyList<ObjectPart> Of(long length, IEnumerable<ByteRange> copyable, PartLimits limits)
    {
        // Each range leaves up to two parts that are shorter than others.
        var ranges = copyable.OrderBy(range => range.Offset).ToArray();
        var usual = Math.Max(limits.Length, length / Math.Max(1, limits.MaxCount - (2 * ranges.Length)) + 1);
        var parts = new List<ObjectPart>();
        var position = 0L;

        foreach (var range in ranges)
        {
            // What comes before it may be too short for a part of its own, and then takes some of it along.
            var start = range.Offset == position ? position : Math.Max(range.Offset, position + limits.MinLength);

            if (range.End - start >= limits.MinLength)
            {
                Divide(start);
                Divide(range.End);
            }
        }

        Divide(length);
        return parts;

        void Divide(long end)
        {
            while (position < end)
            {
                // Nor may the rest be too short, unless it is the last.
                var left = end - position;
                var size = left <= usual || (end < length && left - usual < limits.MinLength) ? left : usual;
                parts.Add(new ObjectPart(parts.Count + 1, position, size));
                position += size;
            }
        }
    }
}
