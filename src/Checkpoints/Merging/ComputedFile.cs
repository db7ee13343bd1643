using System.Collections.Immutable;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Merging;

/// <summary>
/// Computed tensors, one after the other, as if they were in a file. So everything that reads tensors from files, in whatever pieces and order, can read them.
/// </summary>
internal sealed class ComputedFile : IVerifiedSource
{
    /// <summary>That of a model in a safetensors file or GGUF file is 32 to 64 bytes, too.</summary>
    private const long Alignment = 64;

    private readonly ImmutableArray<PlacedRecipe> _tensors;

    /// <param name="name">Its name in messages.</param>
    /// <param name="recipes">Its tensors, by their names.</param>
    public ComputedFile(string name, IEnumerable<KeyValuePair<string, TensorRecipe>> recipes)
    {
        Name = name;
        var placed = ImmutableArray.CreateBuilder<PlacedRecipe>();

        foreach (var (key, recipe) in recipes)
        {
            placed.Add(new PlacedRecipe(recipe, new StoredBytes { Source = this, Record = key, Offset = Length, Length = recipe.Length }));
            Length += (recipe.Length + Alignment - 1) / Alignment * Alignment;
        }

        _tensors = placed.ToImmutable();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length { get; }

    /// <summary>Its tensors, as views on it, in the order in which they were given.</summary>
    public IEnumerable<TensorView> Views =>
        _tensors.Select(tensor => new TensorView(tensor.Bytes, tensor.Recipe.DType, 0, tensor.Recipe.Shape, tensor.Recipe.Shape.RowMajorStrides()));

    /// <inheritdoc/>
    public IByteReader Open(CancellationToken cancellationToken = default) => Open(VerificationPolicy.Usual, cancellationToken);

    /// <inheritdoc/>
    public IByteReader Open(VerificationPolicy verification, CancellationToken cancellationToken) => new ComputedReader(_tensors, verification, cancellationToken);
}

/// <summary>A computed tensor, and where it is.</summary>
/// <param name="Recipe">How it is computed.</param>
/// <param name="Bytes">Where.</param>
internal sealed record PlacedRecipe(TensorRecipe Recipe, StoredBytes Bytes);
