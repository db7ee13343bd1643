using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Gguf;

/// <summary>Reads the architecture from the metadata of a GGUF file, as llama.cpp does (llama-model.cpp).</summary>
internal static class GgufArchitecture
{
    public const string Llama = "llama";

    /// <param name="file">The only file, or the first.</param>
    /// <param name="tensors">The names of all tensors.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <exception cref="CheckpointException">It is of another kind of model, lacks what has no default, or contradicts itself.</exception>
    public static ArchitectureFile Read(GgufFile file, IEnumerable<string> tensors, string name)
    {
        var (metadata, path) = (file.Metadata, file.Source.Name);
        RequireLlama(metadata, path);

        var heads = metadata.Require(MetadataKeys.HeadCount);
        var dim = metadata.Require(MetadataKeys.EmbeddingLength);
        var theta = metadata.Number(MetadataKeys.RopeFreqBase) ?? 10_000;
        var told = new LlamaArchitecture
        {
            Name = name,
            ModelDim = dim,
            NumLayers = metadata.Require(MetadataKeys.BlockCount),
            NumAttnHeads = heads,
            NumKeyValueHeads = metadata.Integer(MetadataKeys.HeadCountKV) ?? heads,
            VocabSize = metadata.Integer(MetadataKeys.VocabSize) ?? CountTokens(file),
            MaxSeqLen = metadata.Require(MetadataKeys.ContextLength),
            NormEps = metadata.Number(MetadataKeys.NormEpsilon) ?? throw CheckpointException.Corrupt(path, $"its metadata has no '{MetadataKeys.NormEpsilon}'."),
            RopeTheta = theta,
            TiedEmbeddings = !tensors.Contains(LlamaParameter.Output.GgufPrefix + LlamaParameter.Suffix),
        };

        if (new[] { MetadataKeys.KeyLength, MetadataKeys.ValueLength, MetadataKeys.RopeDimensionCount }.FirstOrDefault(key =>
            metadata.Integer(key) is { } headDim && (long)headDim * heads != dim) is { } key)
        {
            throw Inexpressible(path, $"that {key} is {metadata.Integer(key)}, but {heads} heads of that size do not fit a model dim of {dim}");
        }

        told = told.WithFfnInnerDim(metadata.Require(MetadataKeys.FeedForwardLength));
        told.Validate();
        told = told with { RopeScaleFactor = RotaryFactors.FindScale(file, told.HeadDim, theta) };

        return new ArchitectureFile(path)
        {
            Architecture = ArchitectureMatcher.Recognize(told),
            SpecialTokens = new SpecialTokens(TokensOf(metadata, MetadataKeys.BosTokenId), TokensOf(metadata, MetadataKeys.EosTokenId)),
        };
    }

    private static void RequireLlama(GgufMetadata metadata, string path)
    {
        var architecture = metadata.Text(MetadataKeys.Architecture);

        if (architecture != Llama)
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized,
                architecture is null
                    ? $"'{path}' does not say of what architecture its model is. If the model is split, give the first of its files."
                    : $"'{path}' holds a model of the architecture '{architecture}'. Expected '{Llama}'.",
                path);
        }

        if (metadata.Text(MetadataKeys.RopeScalingType) is { } scaling and not "none")
        {
            throw Inexpressible(path, $"that rotary encoding is scaled as '{scaling}'");
        }

        // Files before 2023-09 have this.
        if (metadata.Number(MetadataKeys.RopeScaleLinear) is { } factor and not 1)
        {
            throw Inexpressible(path, string.Create(CultureInfo.InvariantCulture, $"that rotary encoding is scaled linearly by {factor}"));
        }

        if (metadata.Integer(MetadataKeys.ExpertCount) is > 0 and var experts)
        {
            throw Inexpressible(path, $"that the model is a mixture of {experts} experts");
        }
    }

    private static CheckpointException Inexpressible(string path, string what) => new(
        CheckpointErrorCode.ArchitectureMismatch, $"'{path}' says {what}. fairseq2 and the reference format can't express such a model.", path);

    private static int CountTokens(GgufFile file) =>
        file.Tensors.FirstOrDefault(tensor => tensor.Key == LlamaParameter.Embedding.GgufPrefix + LlamaParameter.Suffix).Value?.Shape is { Count: 2 } shape && shape[0] <= int.MaxValue
            ? (int)shape[0]
            : throw CheckpointException.Corrupt(file.Source.Name, $"its metadata has no '{MetadataKeys.VocabSize}'.");

    private static ImmutableArray<int> TokensOf(GgufMetadata metadata, string key) => metadata.Integer(key) is >= 0 and var token ? [token] : [];
}
