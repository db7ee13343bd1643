using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.SafeTensors;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.HuggingFace;

/// <summary>A folder in Hugging Face's format, opened.</summary>
internal sealed record HuggingFaceFolder(
    string Path, ImmutableArray<string> WeightFiles, bool HasIndex, ImmutableArray<CheckpointTensor> AllTensors, ArchitectureFile Config)
{
    /// <summary>Text under free keys, of each file in its turn.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Those that belong to the model.</summary>
    public ImmutableArray<CheckpointTensor> Tensors => [.. AllTensors.Where(tensor => !IsIgnored(tensor))];

    /// <summary>The names of the others.</summary>
    public IEnumerable<string> IgnoredTensors => AllTensors.Where(IsIgnored).Select(tensor => tensor.Name);

    /// <summary>The weights, then what stands beside them.</summary>
    public ImmutableArray<string> Files =>
    [
        .. WeightFiles,
        Config.Path,
        .. HasIndex ? [System.IO.Path.Combine(Path, WeightIndex.FileName)] : Array.Empty<string>(),
        .. TokenizerFiles.Names.Prepend(GenerationConfig.FileName).Select(name => System.IO.Path.Combine(Path, name)).Where(File.Exists),
    ];

    /// <exception cref="CheckpointException">It is none, or not whole, or damaged, or contradicts itself.</exception>
    public static HuggingFaceFolder Open(string path, CancellationToken cancellationToken)
    {
        RequireFolder(path);

        var config = HuggingFaceConfig.Read(new LocalFile(System.IO.Path.Combine(path, HuggingFaceConfig.FileName)), System.IO.Path.GetFileName(path));

        // transformers, too, takes the single file where there is also an index.
        var index = File.Exists(System.IO.Path.Combine(path, WeightFile.Single)) ? null : WeightIndex.Read(path);
        ImmutableArray<string> files = [.. (index?.Files ?? [WeightFile.Single]).Select(file => System.IO.Path.Combine(path, file))];
        var opened = files.Select(file => SafeTensorsFile.Open(new LocalFile(file), cancellationToken)).ToArray();
        index?.RequireMatch(opened);

        ImmutableArray<CheckpointTensor> tensors =
        [
            .. from file in opened
               from entry in file.Tensors
               let tensor = MakeTensor(file, entry, config.Architecture!.HeadDim)
               orderby ModuleOrder.Of(tensor.ParsedName, NamingConvention.Fairseq2) // that of names says nothing
               select tensor,
        ];

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(tensors, config.Architecture!),
            $"The weights in '{path}' contradict its {HuggingFaceConfig.FileName}",
            "Check that both are of the same model.");

        return new HuggingFaceFolder(path, files, index is not null, tensors, config) { Metadata = [.. opened.SelectMany(file => file.Metadata).Distinct()] };
    }

    /// <summary>transformers puts the embedding table in the place of an output projection that is tied to it, whatever a file has for it.</summary>
    private bool IsIgnored(CheckpointTensor tensor) => Config.Architecture!.TiedEmbeddings && tensor.ParsedName.Parameter == LlamaParameter.Output;

    private static CheckpointTensor MakeTensor(SafeTensorsFile file, SafeTensorsEntry entry, int headDim)
    {
        var name = ParameterName.Parse(entry.Name, NamingConvention.HuggingFace);
        var shard = new TensorShard(new ShardFile(file.Source.Name, default), entry.Name, entry.Tensor);

        return new CheckpointTensor(name, entry.Tensor.DType, entry.Tensor.Shape, null, [[new TensorPart(entry.Tensor)]], [shard])
        {
            HalfSplitHeadDim = name.IsRotary && entry.Tensor.Shape is { Count: > 0 } shape && shape[0] % headDim == 0 ? headDim : null,
        };
    }

    private static void RequireFolder(string path)
    {
        CheckpointFolder.Require(path);

        if (!File.Exists(System.IO.Path.Combine(path, HuggingFaceConfig.FileName)))
        {
            throw CheckpointFolder.Unrecognized(path, $"holds no {HuggingFaceConfig.FileName}. Expected a folder in Hugging Face's format.");
        }

        if (!File.Exists(System.IO.Path.Combine(path, WeightFile.Single)) && !File.Exists(System.IO.Path.Combine(path, WeightIndex.FileName)))
        {
            throw CheckpointFolder.Unrecognized(path, HoldsWeights(path)
                ? $"holds no {WeightIndex.FileName}, which tells what is in its files. Copy it from where they are from."
                : $"holds neither {WeightFile.Single} nor {WeightIndex.FileName}. Weights in other files, as pytorch_model.bin, are not read.");
        }
    }

    private static bool HoldsWeights(string path)
    {
        try
        {
            return Directory.EnumerateFiles(path).Any(file => WeightFile.IsNameOfOne(System.IO.Path.GetFileName(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{path}' can't be read: {e.Message}", path, e);
        }
    }
}
