using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Manifests;

/// <summary>
/// The output projection of a model that has none in its files: it is the embedding table. Some formats leave it out, and others never do, so manifests always have it.
/// </summary>
internal static class TiedTensor
{
    private static readonly string Output = LlamaParameter.Output.ReferencePrefix + LlamaParameter.Suffix;

    private static readonly string Embedding = LlamaParameter.Embedding.ReferencePrefix + LlamaParameter.Suffix;

    /// <summary>The same tensors and, if there is no output projection, this one.</summary>
    public static ImmutableArray<ManifestTensor> AddTo(ImmutableArray<ManifestTensor> tensors) =>
        tensors.All(tensor => tensor.Name != Output) && tensors.FirstOrDefault(tensor => tensor.Name == Embedding) is { } embedding
            ? [.. tensors, embedding with { Name = Output, Key = Output, Files = [], TiedTo = Embedding, Source = embedding.Source is { } source ? source with { Changes = [] } : null }]
            : tensors;
}
