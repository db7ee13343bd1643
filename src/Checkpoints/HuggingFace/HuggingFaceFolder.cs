using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Tokenizers;

namespace Fairseq2Llama.HuggingFace;

/// <summary>A folder in Hugging Face's format, opened.</summary>
internal sealed record HuggingFaceFolder(
    ICheckpointFolder Folder, ImmutableArray<StoredFile> WeightFiles, bool HasIndex, ImmutableArray<CheckpointTensor> AllTensors, ArchitectureFile Config)
{
    /// <summary>Text under free keys, of each file in its turn.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Those that belong to the model.</summary>
    public ImmutableArray<CheckpointTensor> Tensors => [.. AllTensors.Where(tensor => !IsIgnored(tensor))];

    /// <summary>The names of the others.</summary>
    public IEnumerable<string> IgnoredTensors => AllTensors.Where(IsIgnored).Select(tensor => tensor.Name);

    /// <summary>The weights, then what stands beside them.</summary>
    public ImmutableArray<StoredFile> Files =>
    [
        .. WeightFiles,
        new StoredFile(Folder, HuggingFaceConfig.FileName),
        .. HasIndex ? [new StoredFile(Folder, WeightIndex.FileName)] : Array.Empty<StoredFile>(),
        .. TokenizerFiles.Names.Prepend(GenerationConfig.FileName).Where(Folder.HasFile).Select(name => new StoredFile(Folder, name)),
    ];

    /// <exception cref="CheckpointException">It is none, or not whole, or damaged, or contradicts itself.</exception>
    public static HuggingFaceFolder Open(ICheckpointFolder folder, CancellationToken cancellationToken)
    {
        RequireFolder(folder);

        var config = HuggingFaceConfig.Read(JsonSettings.Read(folder.SourceOf(HuggingFaceConfig.FileName)), folder.Name);

        // transformers, too, takes the single file where there is also an index.
        var index = folder.HasFile(WeightFile.Single) ? null : WeightIndex.Read(folder);
        ImmutableArray<StoredFile> files = [.. (index?.Files ?? [WeightFile.Single]).Select(name => new StoredFile(folder, name))];
        var opened = files.Select(file => (File: file, Content: SafeTensorsFile.Open(file.Source, cancellationToken))).ToArray();
        index?.RequireMatch(opened);

        ImmutableArray<CheckpointTensor> tensors =
        [
            .. from file in opened
               from entry in file.Content.Tensors
               let tensor = MakeTensor(file.File, entry, config.Architecture!.HeadDim)
               orderby ModuleOrder.Of(tensor.ParsedName, NamingConvention.Fairseq2) // that of names says nothing
               select tensor,
        ];

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, config.Architecture!),
            $"The weights in '{folder.Path}' contradict its {HuggingFaceConfig.FileName}",
            "Check that both belong to the same model.");

        return new HuggingFaceFolder(folder, files, index is not null, tensors, config) { Metadata = [.. opened.SelectMany(file => file.Content.Metadata).Distinct()] };
    }

    /// <summary>transformers puts the embedding table in the place of an output projection that is tied to it, whatever a file has for it.</summary>
    private bool IsIgnored(CheckpointTensor tensor) => Config.Architecture!.TiedEmbeddings && tensor.ParsedName.Parameter == LlamaParameter.Output;

    private static CheckpointTensor MakeTensor(StoredFile file, SafeTensorsEntry entry, int headDim)
    {
        var name = ParameterName.Parse(entry.Name, NamingConvention.HuggingFace);
        var shard = new TensorShard(new ShardFile(file, default), entry.Name, entry.Tensor);

        return new CheckpointTensor(name, entry.Tensor.DType, entry.Tensor.Shape, null, [[new TensorPart(entry.Tensor)]], [shard])
        {
            HalfSplitHeadDim = name.IsRotary && entry.Tensor.Shape is { Count: > 0 } shape && shape[0] % headDim == 0 ? headDim : null,
        };
    }

    private static void RequireFolder(ICheckpointFolder folder)
    {
        CheckpointFolder.Require(folder);

        if (!folder.HasFile(HuggingFaceConfig.FileName))
        {
            throw CheckpointFolder.Unrecognized(folder.Path, $"holds no {HuggingFaceConfig.FileName}. Expected a folder in Hugging Face's format.");
        }

        if (!folder.HasFile(WeightFile.Single) && !folder.HasFile(WeightIndex.FileName))
        {
            throw CheckpointFolder.Unrecognized(folder.Path, CheckpointFolder.Look(folder, () => folder.FileNames.Any(WeightFile.IsNameOfOne))
                ? $"holds no {WeightIndex.FileName}, which lists the tensors of each file. Copy it from the source of the weights."
                : $"holds neither {WeightFile.Single} nor {WeightIndex.FileName}. Weights in other files, such as pytorch_model.bin, are not read.");
        }
    }
}
