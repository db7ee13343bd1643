using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Planning;

/// <summary>How a planned file is written.</summary>
/// <param name="Staging">Where.</param>
/// <param name="InPlace">Files in the destination that other jobs have written.</param>
/// <param name="Copier">Gives the data of tensors.</param>
/// <param name="Verification">How much to check.</param>
/// <param name="Report">Told how many bytes were written, or read once more, since it was told last.</param>
/// <param name="CancellationToken">Stops it.</param>
internal sealed record WriteContext(
    IStagedFolder Staging, FilesInPlace InPlace, StorageCopier Copier, VerificationPolicy Verification, Action<long> Report, CancellationToken CancellationToken)
{
    /// <summary>Threads to write it with.</summary>
    public Workers MakeWorkers() => new(Report, CancellationToken);

    /// <summary>The CRC-32 of each storage of the tensor files that are written so far.</summary>
    public required IDictionary<PlannedFile, IReadOnlyDictionary<PlannedStorage, uint>> Checksums { get; init; }

    /// <summary>Hashes what is written; null if there will be no manifest.</summary>
    public ManifestRecorder? Recorder { get; init; }

    /// <summary>A file of the result, to read it.</summary>
    public IByteSource SourceOf(PlannedFile file) => InPlace.Has(file) ? InPlace.Folder.SourceOf(file.Name) : Staging.SourceOf(file.Name);

    /// <summary>The name of a file of the result in messages.</summary>
    public string PathOf(PlannedFile file) => InPlace.Has(file) ? InPlace.Folder.PathOf(file.Name) : Staging.PathOf(file.Name);

    /// <summary>Begins a file.</summary>
    /// <param name="planned">The file.</param>
    /// <param name="unchanged">The ranges that could be taken from sources without copying.</param>
    public IFileSink Create(PlannedFile planned, IReadOnlyList<UnchangedRange> unchanged)
    {
        var file = Staging.Create(planned.Name, planned.Length, unchanged);
        return Recorder?.Watch(planned, file) ?? file;
    }

    /// <summary>Writes a small file.</summary>
    public void Write(PlannedFile planned, ReadOnlySpan<byte> content)
    {
        using var file = Create(planned, []);
        file.Write(content, 0);
        file.Complete();
    }
}
