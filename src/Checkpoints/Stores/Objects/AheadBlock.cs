namespace Fairseq2Llama.Stores.Objects;

/// <summary>A range that is fetched by one request, before it is read.</summary>
/// <param name="number">Its place in the order of reading.</param>
/// <param name="range">Where it is.</param>
/// <param name="wanted">How many of its bytes are going to be read.</param>
internal sealed class AheadBlock(int number, ByteRange range, long wanted)
{
    /// <summary>Smaller blocks are parts of an index, and may be read again.</summary>
    private const int MinData = 1 << 20;

    /// <summary>Its place in the order of reading.</summary>
    public int Number => number;

    /// <summary>Where it is.</summary>
    public ByteRange Range => range;

    /// <summary>Whether what is wanted of it is read once.</summary>
    public bool IsData => wanted >= MinData;

    /// <summary>Whether all that is wanted of it was read.</summary>
    public bool IsDone => Read >= wanted;

    /// <summary>How many bytes were read.</summary>
    public long Read { get; set; }

    /// <summary>When it was last read, or fetched, as a number of reads.</summary>
    public long LastUse { get; set; }

    /// <summary>How many threads are reading it.</summary>
    public int Users { get; set; }

    /// <summary>Null unless it is, or is being, fetched.</summary>
    public byte[]? Bytes { get; set; }

    /// <summary>Done when it is fetched.</summary>
    public Task? Fetched { get; set; }

    /// <summary>Whether all of it was read since it was announced, so that it is not to be fetched ahead again.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Makes it one that was never fetched.</summary>
    public void Reset() => (Bytes, Fetched, Read, IsOver) = (null, null, 0, IsData && IsDone);

    /// <summary>Makes it one that is going to be read.</summary>
    public void Announce() => IsOver = false;

    /// <summary>Waits until it is fetched, and copies bytes of it.</summary>
    public void CopyTo(long offset, Span<byte> buffer, CancellationToken cancellationToken)
    {
        Fetched!.WaitAsync(cancellationToken).GetAwaiter().GetResult();
        Bytes.AsSpan((int)(offset - range.Offset), buffer.Length).CopyTo(buffer);
    }
}
