using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Merging;

/// <summary>A LoRA, as a file or folder has it: what is added to which weights, and which weights are replaced.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">Its path.</param>
/// <param name="Files">Its files.</param>
internal sealed record LoraAdapter(string Name, string Path, ImmutableArray<StoredFile> Files)
{
    /// <summary>The checkpoint that it is; null if it is none.</summary>
    public LlamaCheckpoint? Checkpoint { get; init; }

    /// <summary>The matrices of each adapted module.</summary>
    public required ImmutableArray<LoraMatrices> Matrices { get; init; }

    /// <summary>What may be wrong with it, in sentences.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>Tensors that take the place of those of the base.</summary>
    public ImmutableArray<CheckpointTensor> Replacements { get; init; } = [];
}

/// <summary>The matrices of an adapted module.</summary>
/// <param name="Weight">The name of the weight.</param>
/// <param name="A">Of the shape rank x inputs; for an embedding table rank x tokens.</param>
/// <param name="B">Of the shape outputs x rank; for an embedding table model dim x rank.</param>
/// <param name="Scale">The factor of their product.</param>
internal sealed record LoraMatrices(ParameterName Weight, CheckpointTensor A, CheckpointTensor B, double Scale)
{
    /// <summary>Whether the rows of the weight are tokens that are looked up, so that the product is transposed.</summary>
    public bool IsEmbedding => Weight.Parameter == LlamaParameter.Embedding;

    /// <summary>As factors whose product has the shape of the weight.</summary>
    public LoraFactors ToFactors() => IsEmbedding ? new(Transpose(A), Transpose(B), (float)Scale) : new(B, A, (float)Scale);

    private static CheckpointTensor Transpose(CheckpointTensor tensor)
    {
        // Empty parts of a matrix may have one dim.
        var parts =
            from part in tensor.Copies[0]
            where part.Tensor.Shape.ElementCount > 0
            let row = part.OffsetAlong(1)
            let column = part.Row
            orderby row, column
            select new TensorPart(Transpose(part.Tensor), row, column);

        return new CheckpointTensor(tensor.ParsedName, tensor.DType, Transpose(tensor.Shape), null, [[.. parts]], tensor.Shards);
    }

    private static TensorView Transpose(TensorView view) => new(view.Storage, view.DType, view.StorageOffset, Transpose(view.Shape), [view.Strides[1], view.Strides[0]]);

    private static TensorShape Transpose(TensorShape shape) => new([shape[1], shape[0]]);
}
