using Fairseq2Llama.Llama;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Planning;

/// <summary>
/// Divides tensors over the files of a reference checkpoint, one for each model-parallel rank, the way Meta's and Hugging Face's loaders
/// join them again: wq, wk, wv, w1, w3 and output along dim 0, wo and w2 along dim 1, the embeddings along the vocabulary for LLaMA 3 and
/// along the model dim before; norms are copied.
/// </summary>
internal sealed class ModelParallelSplit
{
    /// <param name="count">The number of files.</param>
    /// <param name="model">What is divided.</param>
    /// <exception cref="CheckpointException">It can't be divided evenly.</exception>
    public ModelParallelSplit(int count, ExportedModel model)
    {
        var (tensors, architecture) = (model.Tensors, model.Architecture);
        Count = count;

        // The shapes of a divided checkpoint show how it is divided.
        EmbeddingDim = tensors.FirstOrDefault(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding)?.SplitDim
            ?? (architecture.ShardEmbedDim ? 1 : 0);

        RequireDivisible(architecture);
    }

    public int Count { get; }

    /// <summary>The dim along which the embedding table is divided: 0 is the vocabulary, as Meta's loaders of LLaMA 3 have it, 1 the model dim, as before.</summary>
    public int EmbeddingDim { get; }

    /// <summary>The slice of a tensor in a file.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="parameter">The parameter for which it is used; for a tied table, the output.</param>
    /// <param name="rank">The file's rank.</param>
    public TensorSlice SliceOf(CheckpointTensor tensor, LlamaParameter? parameter, int rank)
    {
        if (parameter is null && tensor.Copies.Length == Count)
        {
            // There is no way to know how an unknown tensor is divided. If the ranks stay the same, it does not matter.
            return new TensorSlice(tensor.Copies[rank], tensor.Shape);
        }

        int? dim = parameter?.Split switch
        {
            TensorSplit.Rows => 0,
            TensorSplit.Columns => 1,
            TensorSplit.VocabularyOrModel => EmbeddingDim,
            _ => null,
        };

        var whole = new TensorSlice(tensor.Copies[0], tensor.Shape);
        return Count == 1 || dim is null ? whole : whole.Narrow(dim.Value, rank * (tensor.Shape[dim.Value] / Count), tensor.Shape[dim.Value] / Count);
    }

    /// <summary>Those whose copies have to be the same, because one of them stands for all.</summary>
    public IEnumerable<CheckpointTensor> FindReplicated(IEnumerable<CheckpointTensor> tensors) =>
        tensors.Where(tensor => tensor.Copies.Length > 1 && (tensor.ParsedName.Parameter is not null || tensor.Copies.Length != Count));

    private void RequireDivisible(LlamaArchitecture architecture)
    {
        var findings =
            from dim in new (string Name, long Size)[]
            {
                (nameof(architecture.NumAttnHeads), architecture.NumAttnHeads),
                (nameof(architecture.NumKeyValueHeads), architecture.NumKeyValueHeads),
                (nameof(architecture.FfnInnerDim), architecture.FfnInnerDim),
                (nameof(architecture.VocabSize), architecture.VocabSize),
            }
            where dim.Size % Count != 0
            select new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.ShardMismatch, $"{dim.Name} is {dim.Size}");

        CheckpointException.ThrowIfAny(
            findings, $"A model of the architecture '{architecture.Name}' can't be divided into {Count} files", "Choose a -ShardCount that divides each.");
    }
}
