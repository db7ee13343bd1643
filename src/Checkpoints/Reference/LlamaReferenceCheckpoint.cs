using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>A LLaMA in Meta's reference format: a folder with consolidated.NN.pth and params.json.</summary>
public sealed class LlamaReferenceCheckpoint : LlamaCheckpoint
{
    private readonly Lazy<ReferenceFolder> _folder;
    private readonly Lazy<ImmutableArray<CheckpointTensor>> _tensors;

    private LlamaReferenceCheckpoint(
        ICheckpointFolder folder,
        ArchitectureFile architectureFile,
        int shardCount,
        ImmutableArray<string> files,
        long sizeInBytes,
        Func<ReferenceFolder> getFolder)
        : base(folder, folder.Path, folder.Name)
    {
        ArchitectureFile = architectureFile;
        ShardCount = shardCount;
        Files = files;
        SizeInBytes = sizeInBytes;

        // What can't be read now can be later.
        _folder = new(getFolder, LazyThreadSafetyMode.PublicationOnly);
        _tensors = new(() => Adopt(_folder.Value.Tensors), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <inheritdoc/>
    public override CheckpointFormat Format => CheckpointFormat.Reference;

    /// <summary>The architecture that params.json describes, unless the user named another when it was read.</summary>
    public override LlamaArchitecture Architecture => NamedArchitecture ?? ArchitectureFile.Architecture!;

    /// <summary>The number of files that the weights are divided into, one for each model-parallel rank.</summary>
    public override int ShardCount { get; }

    /// <summary>These files, by rank; then what stands beside them.</summary>
    public override ImmutableArray<string> Files { get; }

    /// <summary>Its tensors, under the reference names. Of one that was just written they are read from the disk when they are first asked for.</summary>
    public override ImmutableArray<CheckpointTensor> Tensors => _tensors.Value;

    /// <summary>Bytes of the files.</summary>
    public override long SizeInBytes { get; }

    internal override ArchitectureFile ArchitectureFile { get; }

    /// <summary>Meta's downloads of LLaMA 1 and 2 have one tokenizer, beside the folders of all sizes.</summary>
    internal override IEnumerable<ICheckpointFolder> FoldersAround => Folder.Parent is { } around ? [around] : [];

    internal override int ModelParallelSize => ShardCount;

    internal override bool IsShard => true;

    internal override IEnumerable<string> FilesWithoutChecksums =>
        from file in _folder.Value.TorchFiles where !file.HasChecksums select file.Source.Name;

    internal override IEnumerable<string> FilesWithInvalidPickleChecksum =>
        from file in _folder.Value.TorchFiles where !file.IsPickleChecksumValid select file.Source.Name;

    /// <summary>The exported checkpoint, which is read only when its tensors are requested.</summary>
    internal static LlamaReferenceCheckpoint OfExport(ICheckpointFolder folder, LlamaArchitecture architecture, OutputFiles output)
    {
        return new LlamaReferenceCheckpoint(
            folder,
            new ArchitectureFile(folder.PathOf(ReferenceParams.FileName)) { Architecture = architecture },
            output.ShardCount,
            [.. output.OfCheckpoint.Select(file => folder.PathOf(file.Name))],
            output.OfCheckpoint.Sum(file => file.Length),
            () => ReferenceFolder.Open(folder, CancellationToken.None));
    }

    /// <summary>Reads the index of a checkpoint as Meta distributes it, or as this library or fairseq2's converter wrote it.</summary>
    /// <param name="address">The address of the folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or contradicts its params.json.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LlamaReferenceCheckpoint Read(CheckpointAddress address, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static LlamaReferenceCheckpoint Read(ICheckpointFolder folder, CancellationToken cancellationToken = default)
    {
        var opened = CheckpointFolder.Look(folder, () => ReferenceFolder.Open(folder, cancellationToken));
        return new LlamaReferenceCheckpoint(folder, opened.ArchitectureFile, opened.TorchFiles.Length, opened.Files, opened.Length, () => opened);
    }
}
