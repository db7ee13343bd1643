namespace Fairseq2Llama.Stores;

/// <summary>
/// Bytes that stay the same while they are read: a local file, or an object that is read by ranges.
/// A source is an address and holds nothing open, so checkpoints can live in a pipeline without being disposed.
/// </summary>
internal interface IByteSource
{
    /// <summary>Its name in messages; for a file, its full path.</summary>
    string Name { get; }

    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>The ETag of this state of it; null where there are none.</summary>
    string? ETag => null;

    /// <summary>Opens it for reading.</summary>
    /// <param name="cancellationToken">Stops reading, as does that of the folder in which it was found.</param>
    /// <exception cref="CheckpointException">
    /// It can't be read, or has changed since this source was made.
    /// </exception>
    IByteReader Open(CancellationToken cancellationToken = default);
}

/// <summary>An open <see cref="IByteSource"/>.</summary>
internal interface IByteReader : IDisposable
{
    /// <summary>Reads at <paramref name="offset"/> until <paramref name="buffer"/> is full.</summary>
    /// <exception cref="CheckpointException">The source ends before that, or can't be read.</exception>
    void Read(long offset, Span<byte> buffer);

    /// <summary>
    /// Announces what is going to be read, so that a source with slow requests can fetch much at once. Ranges can be read without being announced, and
    /// announced without being read.
    /// </summary>
    /// <param name="ranges">In the order in which they will be read. What was announced before keeps its place.</param>
    void Expect(IReadOnlyList<ByteRange> ranges)
    {
    }

    /// <summary>Checks that everything read so far is from the same state of the source.</summary>
    /// <exception cref="CheckpointException">It has changed since the source was made.</exception>
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
