using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Merging;

/// <summary>A tensor of a merged checkpoint: one that is kept as it is, or one that is computed.</summary>
internal sealed record MergedTensor
{
    public MergedTensor(ParameterName name, CheckpointTensor kept) => (Name, Kept) = (name, kept);

    /// <param name="name">Its name.</param>
    /// <param name="recipe">How it is computed. Tensors with one recipe share their storage.</param>
    public MergedTensor(ParameterName name, TensorRecipe recipe) => (Name, Recipe) = (name, recipe);

    public ParameterName Name { get; }

    public CheckpointTensor? Kept { get; }

    public TensorRecipe? Recipe { get; }
}
