namespace Fairseq2Llama.Stores;

/// <summary>A folder that an export writes into, wherever it is. All of an export comes to be there, or nothing of it.</summary>
internal interface IExportDestination
{
    /// <summary>What is there.</summary>
    ICheckpointFolder Folder { get; }

    /// <summary>Whether an export has begun to write there and has not come to its end: it is at work, or was killed.</summary>
    bool IsUnfinished { get; }

    /// <summary>Makes sure that a folder can be there.</summary>
    /// <exception cref="CheckpointException">There is a file of its name, or of that of a folder around it.</exception>
    void RequireFolder();

    /// <summary>Makes sure that there is room for an export.</summary>
    /// <exception cref="CheckpointException">There is not.</exception>
    void RequireSpace(RequiredSpace space);

    /// <summary>Whether an export has left something there when it was killed, or is at work.</summary>
    /// <param name="shards">The shards of a job that writes only some; empty for an export of all.</param>
    /// <exception cref="IOException">It can't be looked into.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be looked into.</exception>
    bool HasLeftovers(IReadOnlyCollection<int> shards);

    /// <summary>Finishes an export that was killed while its files were being put in place, and removes whatever else is left.</summary>
    /// <param name="shards">As for <see cref="HasLeftovers"/>.</param>
    /// <returns>Whether one was finished.</returns>
    /// <exception cref="IOException">It can't be finished.</exception>
    bool CleanUp(IReadOnlyCollection<int> shards);

    /// <summary>Begins to write: from now on no other export can, but for jobs with other shards.</summary>
    /// <param name="change">What the folder will become.</param>
    /// <exception cref="CheckpointException">Another export is at work, or was since this one was planned; or there is too little room.</exception>
    IStagedFolder Begin(FolderChange change);

    /// <summary>The error for something that was thrown while it was being written.</summary>
    /// <param name="cause">What was thrown.</param>
    /// <param name="length">Bytes that were to be written.</param>
    CheckpointException ToError(Exception cause, long length);
}

/// <summary>Files that are written where no reader finds them, and come to be in the destination together. What is not committed is gone once this is disposed of.</summary>
internal interface IStagedFolder : IDisposable
{
    /// <summary>False where nothing can keep another export from writing to the same destination.</summary>
    bool IsExclusive { get; }

    /// <summary>Where records are inflated, so that they can be read at any place.</summary>
    ScratchFolder Scratch { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="unchanged">What could be taken over from sources without going through our hands.</param>
    IFileSink Create(string name, long length, IReadOnlyList<UnchangedRange> unchanged);

    /// <summary>What to call a file in messages.</summary>
    string PathOf(string name);

    /// <summary>A file that was written, to look at what has become of it. Comes when all are written, or all that others are derived of.</summary>
    IByteSource SourceOf(string name);

    /// <summary>Puts everything in place.</summary>
    /// <exception cref="CheckpointException">Another export was faster.</exception>
    void Commit();
}

/// <summary>A file that is being written, at any place and by several threads at once. It is whole once <see cref="Complete"/> has returned.</summary>
internal interface IFileSink : IDisposable
{
    /// <summary>Whether it is best written from front to back, as far as threads allow, because what has gaps is held in memory.</summary>
    bool PrefersOrder { get; }

    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Takes bytes over from a source without reading them, or hardly any: file systems share blocks, and stores copy inside themselves.</summary>
    /// <param name="source">The source.</param>
    /// <param name="origin">Where in it they begin.</param>
    /// <param name="length">How many.</param>
    /// <param name="offset">Where they shall be.</param>
    /// <returns>False when that can't be done; then nothing has changed.</returns>
    bool TryShare(IByteReader source, long origin, long length, long offset);

    /// <exception cref="IOException">What was written is not all there.</exception>
    void Complete();
}

/// <summary>Bytes of a file to be written that are those of a source.</summary>
/// <param name="Source">The source.</param>
/// <param name="Origin">Where in it they begin.</param>
/// <param name="Offset">Where in the file.</param>
/// <param name="Length">How many.</param>
internal readonly record struct UnchangedRange(IByteSource Source, long Origin, long Offset, long Length);
