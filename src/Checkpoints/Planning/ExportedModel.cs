using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>A model on its way from one format to another: what its tensors will be called, and where the bytes of each are.</summary>
/// <param name="checkpoint">Where it is from.</param>
/// <param name="tensors">What is exported of it, in the order of the checkpoint.</param>
/// <param name="architecture">Its architecture.</param>
/// <param name="format">The new format.</param>
/// <param name="requestedDType">The requested element type; null to keep the type of each tensor.</param>
internal sealed class ExportedModel(
    LlamaCheckpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture architecture, OutputFormat format, DType? requestedDType)
{
    private readonly Dictionary<PlannedStorage, StorageOrigin> _origins = [];

    public LlamaCheckpoint Checkpoint => checkpoint;

    public IReadOnlyCollection<CheckpointTensor> Tensors => tensors;

    public LlamaArchitecture Architecture => architecture;

    /// <summary>The tokens that begin and end a text: what a file beside the weights says, otherwise those of the vocabulary.</summary>
    public SpecialTokens SpecialTokens =>
        (Checkpoint.ArchitectureFile?.SpecialTokens ?? SpecialTokens.Unknown).Or(SpecialTokens.OfVocabulary(Architecture.VocabSize));

    /// <summary>What a storage that was planned is made from; null if it is computed.</summary>
    public StorageOrigin? OriginOf(PlannedStorage storage) => _origins.GetValueOrDefault(storage);

    /// <summary>Its name in the new format.</summary>
    public string NewNameOf(CheckpointTensor tensor) => tensor.ParsedName.In(format.Convention) ?? tensor.Name;

    /// <summary>The type that it will have.</summary>
    public DType NewTypeOf(CheckpointTensor tensor) => format.TypeOf(tensor, requestedDType);

    /// <summary>Plans what one model-parallel rank has of the tensors.</summary>
    /// <exception cref="CheckpointException">Two would get the same name, or one has no rows that could change their order.</exception>
    public IReadOnlyList<PlannedTensor> PlanTensors(ModelParallelSplit split, int rank)
    {
        var planned = new List<PlannedTensor>();
        var storages = new Dictionary<(TensorSlice, bool, DType), PlannedStorage>();

        foreach (var tensor in Tensors.Where(tensor => !(OmitsOutput && tensor.ParsedName.Parameter == LlamaParameter.Output)))
        {
            Add(NewNameOf(tensor), tensor, tensor.ParsedName.Parameter);
        }

        if (!OmitsOutput && Tensors.All(tensor => tensor.ParsedName.Parameter != LlamaParameter.Output))
        {
            // Readers need it even where it is the embedding table and the checkpoint leaves it out.
            Add(
                format.Convention.PrefixOf(LlamaParameter.Output) + LlamaParameter.Suffix,
                Tensors.First(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding),
                LlamaParameter.Output);
        }

        RequireDistinctNames(planned);
        return planned;

        void Add(string name, CheckpointTensor tensor, LlamaParameter? parameter)
        {
            var slice = split.SliceOf(tensor, parameter, rank);
            var dtype = NewTypeOf(tensor);
            var key = (slice, tensor.ParsedName.IsRotary, dtype);

            // Tensors that share a storage in the input, such as tied weights, still share it.
            if (!format.Container.HasSharedStorages || !storages.TryGetValue(key, out var storage))
            {
                var headDim = HalfSplitHeadDimOf(tensor, slice);
                storage = storages[key] = tensor.ToStorage(slice, headDim, dtype);
                _origins.Add(storage, new StorageOrigin(tensor, headDim));
            }

            planned.Add(new PlannedTensor(name, tensor.Name, dtype, slice.Shape, storage));
        }
    }

    /// <summary>The size of a head where the tensor will have the rows of rotary pairs half a head apart; null for side by side.</summary>
    private int? HalfSplitHeadDimOf(CheckpointTensor tensor, TensorSlice slice)
    {
        if (tensor.ParsedName.Module is not { IsRotary: true } module || tensor.ParsedName.Convention.IsHalfSplit == format.Convention.IsHalfSplit)
        {
            return tensor.HalfSplitHeadDim;
        }

        if (!tensor.ParsedName.IsRotary)
        {
            return slice.Shape.Count == 0 || slice.Shape[0] != module.Dims[0].SizeIn(Architecture)
                ? null
                : throw new CheckpointException(
                    CheckpointErrorCode.UnmappedTensor,
                    $"'{tensor.Name}' has as many rows as its projection, whose rows get another order. Whether its own rows need it, too, is not"
                        + " known. Filter it out.",
                    tensor.Name);
        }

        if (slice.Shape.Count == 0 || slice.Shape[0] % Architecture.HeadDim != 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch,
                $"'{tensor.Name}' is {tensor.Shape}, which is not a whole number of heads of {Architecture.HeadDim} rows, so its rows can't be reordered. Filter it out.",
                tensor.Name);
        }

        return format.Convention.IsHalfSplit ? Architecture.HeadDim : null;
    }

    private bool OmitsOutput => format.OmitsTiedOutput && Architecture.TiedEmbeddings;

    /// <summary>An unknown tensor that is carried over can have the very name that another one gets.</summary>
    private void RequireDistinctNames(List<PlannedTensor> planned)
    {
        var clash = planned.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);

        if (clash is not null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.UnmappedTensor,
                $"{string.Join(" and ", clash.Select(tensor => $"'{tensor.SourceName}'"))} of '{Checkpoint.Path}' would both become"
                + $" '{clash.Key}'. Filter one of them out.",
                clash.Key);
        }
    }
}
