namespace Fairseq2Llama.Stores;

/// <summary>
/// Something with bytes that stay the same while we look: a local file today, a blob read by ranges tomorrow.
/// A source is an address and holds nothing open, so checkpoints can live in a pipeline without being disposed.
/// </summary>
internal interface IByteSource
{
    /// <summary>What to call it in messages; for a file, its full path.</summary>
    string Name { get; }

    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Opens it for reading.</summary>
    /// <exception cref="CheckpointException">
    /// It can't be read, or is no longer what it was when this source was made.
    /// </exception>
    IByteReader Open();
}

/// <summary>An open <see cref="IByteSource"/>.</summary>
internal interface IByteReader : IDisposable
{
    /// <summary>Reads at <paramref name="offset"/> until <paramref name="buffer"/> is full.</summary>
    /// <exception cref="CheckpointException">The source ends before that, or can't be read.</exception>
    void Read(long offset, Span<byte> buffer);

    /// <summary>
    /// Tells what is going to be read, so that a source in which each request takes time can ask for much at once. What is read need not have been
    /// announced, nor the other way round; what was announced before is forgotten.
    /// </summary>
    /// <param name="ranges">In any order, and best read by ascending offsets then.</param>
    void Expect(IReadOnlyList<ByteRange> ranges)
    {
    }

    /// <summary>Makes sure that what was read so far is all from the same state of the source.</summary>
    /// <exception cref="CheckpointException">It is no longer what it was when the source was made.</exception>
    void RequireUnchanged();
}

/// <summary>Bytes of a source.</summary>
/// <param name="Offset">The first.</param>
/// <param name="Length">How many.</param>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>The offset behind the last.</summary>
    public long End => Offset + Length;
}
