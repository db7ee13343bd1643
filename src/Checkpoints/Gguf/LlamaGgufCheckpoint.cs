using System.Collections.Immutable;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>A LLaMA in GGUF files, as llama.cpp reads them: one file, or several numbered ones.</summary>
public sealed class LlamaGgufCheckpoint : LlamaCheckpoint
{
    private LlamaGgufCheckpoint(GgufModel model)
        : base(model.Folder, model.Files[0].Source.Name, model.Name)
    {
        ArchitectureFile = model.Config;
        Files = [.. model.Files.Select(file => file.Source.Name)];
        SizeInBytes = model.Files.Sum(file => file.Source.Length);
        Tensors = Adopt(model.Tensors);
        FirstFile = model.Files[0];
    }

    /// <inheritdoc/>
    public override CheckpointFormat Format => CheckpointFormat.Gguf;

    /// <summary>The architecture that the metadata describe, unless the user named another when it was read.</summary>
    public override LlamaArchitecture Architecture => NamedArchitecture ?? ArchitectureFile.Architecture!;

    /// <summary>The number of files. They hold whole tensors.</summary>
    public override int ShardCount => Files.Length;

    /// <summary>These files, by number.</summary>
    public override ImmutableArray<string> Files { get; }

    /// <summary>Its tensors, under the names of GGUF, in the order of the model's modules. The factors of scaled rotary encoding, which some files have as a tensor, are none of them.</summary>
    public override ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>Bytes of the files.</summary>
    public override long SizeInBytes { get; }

    internal override string Stem => Name;

    internal override ArchitectureFile ArchitectureFile { get; }

    /// <summary>The one that has the metadata.</summary>
    internal GgufFile FirstFile { get; }

    /// <summary>
    /// Reads the index of a model, and the factors of scaled rotary encoding if the file has them: rope_freqs.weight, 4 bytes for each rotary pair, which alone tells how it is scaled.
    /// No weights are read.
    /// </summary>
    /// <param name="address">The address of the file, of the first one of a split model, or of a folder with nothing but one model.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or no LLaMA, or quantized in another way than Q8_0.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LlamaGgufCheckpoint Read(CheckpointAddress address, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static LlamaGgufCheckpoint Read(ICheckpointFolder place, CancellationToken cancellationToken = default) =>
        CheckpointFolder.Look(place, () => new LlamaGgufCheckpoint(GgufModel.Open(place, cancellationToken)));
}
