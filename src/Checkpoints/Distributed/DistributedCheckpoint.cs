using System.Collections.Immutable;
using Fairseq2Llama.Distributed;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// A LLaMA that PyTorch's Distributed Checkpoint saved, as torchtitan, accelerate and Lightning do: a folder with <c>.metadata</c> and <c>*.distcp</c> files, or with
/// safetensors files that describe themselves as parts of a checkpoint.
/// </summary>
public sealed class DistributedCheckpoint : LlamaCheckpoint
{
    private readonly DistributedFolder _folder;
    private readonly TensorLocator _locator;

    private DistributedCheckpoint(DistributedFolder folder, DistributedName name, TensorLocator locator)
        : base(folder.Folder, folder.Folder.Path, name.Text)
    {
        _folder = folder;
        _locator = locator;
        Step = name.Step;
        Tensors = Adopt(folder.Tensors);
    }

    /// <inheritdoc/>
    public override ImmutableArray<string> Warnings => _folder.Warnings;

    /// <inheritdoc/>
    public override CheckpointFormat Format => CheckpointFormat.Distributed;

    /// <summary>The training step, if the path shows it. The name also ends with the step: <c>outputs@1000</c>.</summary>
    public long? Step { get; }

    /// <summary>The number of files that hold parts of the weights.</summary>
    public override int ShardCount => _folder.DataFiles.Length;

    /// <summary>These files, then those with the metadata.</summary>
    public override ImmutableArray<string> Files => [.. _folder.DataFiles.Select(file => file.Stored.Path), .. _folder.IndexFiles.Select(file => file.Path)];

    /// <summary>
    /// Its tensors, under the names that the trainer has for them, without prefixes, in the order of the model's modules. Where their parts lie in the files is looked up when it
    /// is first asked for.
    /// </summary>
    public override ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>Bytes of the files. The state of the optimizer may be in them, too.</summary>
    public override long SizeInBytes => _folder.DataFiles.Sum(file => file.Source.Length) + _folder.IndexFiles.Sum(file => file.Length);

    internal override ArchitectureFile? ArchitectureFile => _folder.ArchitectureFile;

    internal override bool IsShard => true;

    /// <summary>Of those tensors whose places are known; the index does not say it.</summary>
    internal override IEnumerable<string> FilesWithoutChecksums => (
        from tensor in Tensors
        where tensor.IsLocated
        from shard in tensor.Shards
        where shard.Tensor.Storage is { Crc32: null, Length: > 0 }
        select shard.File).Distinct(StringComparer.Ordinal);

    /// <summary>Reads the index of a checkpoint.</summary>
    /// <param name="address">The address of the folder.</param>
    /// <param name="options">What is known about it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or needs an architecture that is not known.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static DistributedCheckpoint Read(
        CheckpointAddress address, CheckpointReadOptions? options = null, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), options ?? new CheckpointReadOptions(), cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static DistributedCheckpoint Read(ICheckpointFolder folder, CheckpointReadOptions options, CancellationToken cancellationToken = default)
    {
        var locator = new TensorLocator();
        var opened = CheckpointFolder.Look(folder, () => DistributedFolder.Open(folder, options, locator, cancellationToken));
        return new DistributedCheckpoint(opened, DistributedName.Of(folder), locator) { NamedArchitecture = options.Architecture };
    }

    internal override void Locate(IEnumerable<CheckpointTensor> tensors, CancellationToken cancellationToken) => _locator.Locate(tensors, cancellationToken);
}
