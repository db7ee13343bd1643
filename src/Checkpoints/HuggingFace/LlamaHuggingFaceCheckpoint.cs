using System.Collections.Immutable;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>A LLaMA in Hugging Face's format: a folder with config.json and one or more safetensors files.</summary>
public sealed class LlamaHuggingFaceCheckpoint : LlamaCheckpoint
{
    private LlamaHuggingFaceCheckpoint(HuggingFaceFolder folder)
        : base(folder.Folder, folder.Folder.Path, folder.Folder.Name)
    {
        ArchitectureFile = folder.Config;
        ShardCount = folder.WeightFiles.Length;
        Files = [.. folder.Files.Select(file => file.Path)];
        Tensors = Adopt(folder.Tensors);
        IgnoredTensors = [.. folder.IgnoredTensors];
        Metadata = folder.Metadata;
        SizeInBytes = folder.Files.Sum(file => file.Length);
    }

    /// <inheritdoc/>
    public override CheckpointFormat Format => CheckpointFormat.HuggingFace;

    /// <summary>The architecture that config.json describes, unless the user named another when it was read.</summary>
    public override LlamaArchitecture Architecture => NamedArchitecture ?? ArchitectureFile.Architecture!;

    /// <summary>The number of safetensors files. They hold whole tensors.</summary>
    public override int ShardCount { get; }

    /// <summary>These files, then config.json and what else of the format lies there: the index, generation_config.json, a tokenizer.</summary>
    public override ImmutableArray<string> Files { get; }

    /// <summary>
    /// Its tensors, under Hugging Face's names, in the order of the model's modules; files have them in the order of their names. What is made of
    /// the query and key projections has their rows in the order that fairseq2 and the reference format have, which is another than in the files.
    /// </summary>
    public override ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>Bytes of the files.</summary>
    public override long SizeInBytes { get; }

    internal override ArchitectureFile ArchitectureFile { get; }

    internal override IReadOnlyList<string> IgnoredTensors { get; }

    /// <summary>Text under free keys in its files; a key stands there once for each text that a file has for it.</summary>
    internal ImmutableArray<KeyValuePair<string, string>> Metadata { get; }

    /// <summary>Reads the index of a checkpoint of transformers' LlamaForCausalLM.</summary>
    /// <param name="address">The address of the folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged, or contradicts its config.json.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LlamaHuggingFaceCheckpoint Read(CheckpointAddress address, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static LlamaHuggingFaceCheckpoint Read(ICheckpointFolder folder, CancellationToken cancellationToken = default) =>
        CheckpointFolder.Look(folder, () => new LlamaHuggingFaceCheckpoint(HuggingFaceFolder.Open(folder, cancellationToken)));
}
