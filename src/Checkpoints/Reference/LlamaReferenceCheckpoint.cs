using System.Collections.Immutable;
using Fairseq2Llama.Reference;

namespace Fairseq2Llama;

/// <summary>A LLaMA in Meta's reference format: a folder with consolidated.NN.pth and params.json.</summary>
public sealed class LlamaReferenceCheckpoint : LlamaCheckpoint
{
    private readonly Lazy<ImmutableArray<CheckpointTensor>> _tensors;

    private LlamaReferenceCheckpoint(
        string path,
        LlamaArchitecture architecture,
        int shardCount,
        ImmutableArray<string> files,
        long sizeInBytes,
        Func<ImmutableArray<CheckpointTensor>> getTensors)
        : base(path, System.IO.Path.GetFileName(path))
    {
        Architecture = architecture;
        ShardCount = shardCount;
        Files = files;
        SizeInBytes = sizeInBytes;

        // What can't be read now, as long as other jobs write their shards, can be later.
        _tensors = new(() => Adopt(getTensors()), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>The architecture that params.json tells.</summary>
    public override LlamaArchitecture Architecture { get; }

    /// <summary>The number of files that the weights are divided into, one for each model-parallel rank.</summary>
    public override int ShardCount { get; }

    /// <summary>These files, or those of them that were written, by rank; then what stands beside them.</summary>
    public override ImmutableArray<string> Files { get; }

    /// <summary>Its tensors, under the reference names. Of one that was just written they are read from the disk when they are first asked for.</summary>
    public override ImmutableArray<CheckpointTensor> Tensors => _tensors.Value;

    /// <summary>Bytes of the files.</summary>
    public override long SizeInBytes { get; }

    /// <summary>What a plan of <see cref="ReferenceExport"/> has made once it was carried out.</summary>
    public static LlamaReferenceCheckpoint From(ConversionPlan plan) => new(
        plan.DestinationPath,
        plan.Architecture,
        plan.ShardCount,
        [.. plan.Files.Select(file => System.IO.Path.Combine(plan.DestinationPath, file.Name))],
        plan.Length,
        () => ReferenceFolder.Open(plan.DestinationPath, CancellationToken.None).Tensors);

    /// <summary>Reads the index of a checkpoint as Meta distributes it, or as this library or fairseq2's converter wrote it.</summary>
    /// <param name="path">The absolute path of the folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or contradicts its params.json.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LlamaReferenceCheckpoint Read(string path, CancellationToken cancellationToken = default)
    {
        var folder = ReferenceFolder.Open(System.IO.Path.TrimEndingDirectorySeparator(path), cancellationToken);

        return new LlamaReferenceCheckpoint(
            folder.Path,
            folder.Architecture,
            folder.Shards.Length,
            folder.Files,
            folder.Files.Sum(file => new FileInfo(file).Length),
            () => folder.Tensors);
    }
}
