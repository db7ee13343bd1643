namespace Fairseq2Llama.Stores;

/// <summary>A folder in any store that an export writes into: either all of the export, or nothing.</summary>
internal interface IExportDestination
{
    /// <summary>What is there.</summary>
    ICheckpointFolder Folder { get; }

    /// <summary>Whether an export to the folder is unfinished: it is running, or was killed.</summary>
    bool IsUnfinished { get; }

    /// <summary>Checks that the folder can exist, and files in it.</summary>
    /// <param name="names">The names of the files.</param>
    /// <exception cref="CheckpointException">Its path, or that of a parent folder, is a file; or no file or folder can have such a name.</exception>
    void RequireFolder(IEnumerable<string> names);

    /// <summary>Checks that there is enough space for an export.</summary>
    /// <exception cref="CheckpointException">There is not.</exception>
    void RequireSpace(RequiredSpace space);

    /// <summary>Whether an export has left something there when it was killed, or is running.</summary>
    /// <param name="shards">The shards of a job that writes only some; empty for an export of all.</param>
    /// <exception cref="IOException">It can't be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be looked into.</exception>
    bool HasLeftovers(IReadOnlyCollection<int> shards);

    /// <summary>Finishes an export that was killed while its files were being put in place, and removes everything else that is left.</summary>
    /// <param name="shards">As for <see cref="HasLeftovers"/>.</param>
    /// <returns>Whether one was finished.</returns>
    /// <exception cref="IOException">It can't be finished.</exception>
    bool CleanUp(IReadOnlyCollection<int> shards);

    /// <summary>Begins to write: from now on no other export can, but for jobs with other shards.</summary>
    /// <param name="change">What the folder will become.</param>
    /// <exception cref="CheckpointException">Another export is running, or was since this one was planned; or there is too little room.</exception>
    IStagedFolder Begin(FolderChange change);

    /// <summary>The error for something that was thrown while it was being written.</summary>
    /// <param name="cause">The exception.</param>
    /// <param name="length">Bytes that were to be written.</param>
    CheckpointException ToError(Exception cause, long length);
}

/// <summary>
/// Files that are written where no reader finds them, and are put into the destination together. Files that are not committed are removed when
/// this is disposed of.
/// </summary>
internal interface IStagedFolder : IDisposable
{
    /// <summary>False where nothing can keep another export from writing to the same destination.</summary>
    bool IsExclusive { get; }

    /// <summary>Where records are inflated, so that they can be read at any place.</summary>
    ScratchFolder Scratch { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="unchanged">The ranges that could be taken from sources without copying.</param>
    IFileSink Create(string name, long length, IReadOnlyList<UnchangedRange> unchanged);

    /// <summary>The name of a file in messages.</summary>
    string PathOf(string name);

    /// <summary>A written file, to check it. Called when all files are written, or all from which other files are derived.</summary>
    IByteSource SourceOf(string name);

    /// <summary>Puts everything in place.</summary>
    /// <exception cref="CheckpointException">Another export was faster.</exception>
    void Commit();
}

/// <summary>A file that is being written, at any place and by several threads at once. It is whole once <see cref="Complete"/> has returned.</summary>
internal interface IFileSink : IDisposable
{
    /// <summary>Whether files are best written from front to back, as far as threads allow, because the store holds data after a gap in memory.</summary>
    bool PrefersOrder { get; }

    /// <summary>Whether all of it has to come from front to back, so that only one thread can write it.</summary>
    bool IsSequential => false;

    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Shows it bytes that it has taken over from a source without reading them.</summary>
    void Observe(ReadOnlySpan<byte> bytes, long offset)
    {
    }

    /// <summary>Whether it may take bytes over from a source without reading them.</summary>
    bool CanShare(IByteSource source) => false;

    /// <summary>Takes bytes over from a source without reading them, or hardly any: file systems share blocks, and stores copy inside themselves.</summary>
    /// <param name="source">The source.</param>
    /// <param name="origin">Where in it they begin.</param>
    /// <param name="length">How many.</param>
    /// <param name="offset">Where they shall be.</param>
    /// <returns>False when that can't be done; then nothing has changed.</returns>
    bool TryShare(IByteReader source, long origin, long length, long offset);

    /// <exception cref="IOException">Some of the written data is missing.</exception>
    void Complete();
}

/// <summary>Bytes of a file to be written that are those of a source.</summary>
/// <param name="Source">The source.</param>
/// <param name="Origin">Where in it they begin.</param>
/// <param name="Offset">Where in the file.</param>
/// <param name="Length">How many.</param>
internal readonly record struct UnchangedRange(IByteSource Source, long Origin, long Offset, long Length);
