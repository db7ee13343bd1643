using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama;

/// <summary>
/// What makes one LLaMA differ from another, under the names of fairseq2's LLaMAConfig. The defaults are fairseq2's, which
/// are those of LLaMA 7B.
/// </summary>
public sealed record LlamaArchitecture
{
    /// <summary>Far beyond anything that was ever trained.</summary>
    private const int MaxValue = 100_000_000;

    /// <summary>The name of the architecture: <c>llama3_1_8b</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The width of the residual stream.</summary>
    public int ModelDim { get; init; } = 4096;

    /// <summary>The number of decoder layers.</summary>
    public int NumLayers { get; init; } = 32;

    /// <summary>The number of query heads.</summary>
    public int NumAttnHeads { get; init; } = 32;

    /// <summary>The number of key/value heads; fewer than the query heads in grouped-query attention.</summary>
    public int NumKeyValueHeads { get; init; } = 32;

    /// <summary>Widens the FFN; <c>ffn_dim_multiplier</c> in params.json.</summary>
    public double FfnInnerDimMultiplier { get; init; } = 1.0;

    /// <summary>The FFN dim is rounded up to a multiple of it; <c>multiple_of</c> in params.json.</summary>
    public int FfnInnerDimMultipleOf { get; init; } = 256;

    /// <summary>The longest sequence, in tokens, that the model was made for.</summary>
    public int MaxSeqLen { get; init; } = 2048;

    /// <summary>The number of tokens in the vocabulary.</summary>
    public int VocabSize { get; init; } = 32000;

    /// <summary>The base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000.0;

    /// <summary>The factor of LLaMA 3.1's scaled rotary encoding; null where the encoding is not scaled.</summary>
    public double? RopeScaleFactor { get; init; }

    /// <summary>The epsilon of the RMS norms; fairseq2 fixes it at 1e-5.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Whether the output projection is the embedding table.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>
    /// Whether model parallelism divides the embedding table along the model dim, as it does for LLaMA 1 and 2, or along the vocabulary, as
    /// for LLaMA 3. It matters only where a model is split that was not split before.
    /// </summary>
    public bool ShardEmbedDim { get; init; } = true;

    /// <summary>The fairseq2 assets that have this architecture: <c>llama3_2_1b_instruct</c>.</summary>
    public ImmutableArray<string> AssetNames { get; init; } = [];

    /// <summary>The width of one attention head.</summary>
    public int HeadDim => ModelDim / NumAttnHeads;

    /// <summary>The rows of the key and the value projection.</summary>
    public int KeyValueDim => NumKeyValueHeads * HeadDim;

    /// <summary>The inner dim that the FFN's weights have (11008 for 7b), by the formula of fairseq2's LLaMA factory.</summary>
    public long FfnInnerDim => RoundUp((long)((long)(4L * ModelDim * FfnInnerDimMultiplier) * (2.0 / 3.0)));

    /// <summary>
    /// The inner dim that Meta's and Hugging Face's loaders compute from params.json. They round in another order, so for unusual
    /// multipliers it can differ from <see cref="FfnInnerDim"/>; such a model has no params.json.
    /// </summary>
    internal long ReferenceFfnInnerDim => RoundUp((long)(FfnInnerDimMultiplier * (8L * ModelDim / 3)));

    /// <summary>All weights; tied embeddings count once.</summary>
    public long ParameterCount => LlamaParameter.All.Sum(parameter => parameter.CountElements(this));

    /// <summary><see cref="ParameterCount"/>, under the name that tables have for it.</summary>
    public long Parameters => ParameterCount;

    /// <summary><see cref="NumLayers"/>, under the name that tables have for it.</summary>
    public int Layers => NumLayers;

    /// <summary><see cref="NumAttnHeads"/>, under the name that tables have for it; they show the number of key/value heads, too.</summary>
    public int Heads => NumAttnHeads;

    /// <summary>Prints as its name.</summary>
    public override string ToString() => Name;

    /// <summary>
    /// The value of <see cref="ShardEmbedDim"/> in fairseq2 0.3 and 0.4, which have no such setting: true below LLaMA 3's sequence length of
    /// 8192 (models/llama/_handler.py).
    /// </summary>
    /// <param name="maxSeqLen">The longest sequence, in tokens.</param>
    public static bool GuessShardEmbedDim(int maxSeqLen) => maxSeqLen < 8192;

    /// <summary>Checks that it could be built at all.</summary>
    /// <exception cref="CheckpointException">It contradicts itself; the message lists each contradiction.</exception>
    public void Validate()
    {
        List<string> contradictions = [.. FindOutOfRange()];

        if (contradictions.Count == 0)
        {
            contradictions.AddRange(FindContradictions());
        }

        if (contradictions.Count == 0 && !IsCountable())
        {
            contradictions.Add("it has more parameters than 64 bits can count");
        }

        if (contradictions.Count > 0)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureMismatch,
                $"The architecture '{Name}' contradicts itself: {string.Join("; ", contradictions)}.",
                Name);
        }
    }

    /// <summary>The same with an FFN of that inner dim, if only the inner dim is known and not the values from which it is computed.</summary>
    internal LlamaArchitecture WithFfnInnerDim(int innerDim)
    {
        // Whatever is computed is rounded up to a multiple of the inner dim, so it only must not be more than that.
        var multiplier = Math.Min(1, Math.Floor(innerDim * 300.0 / (8.0 * ModelDim)) / 100);
        return this with { FfnInnerDimMultipleOf = innerDim, FfnInnerDimMultiplier = Math.Max(multiplier, 0.01) };
    }

    private IEnumerable<string> FindOutOfRange() =>
        from dim in new (string Name, double Value)[]
        {
            (nameof(ModelDim), ModelDim),
            (nameof(NumLayers), NumLayers),
            (nameof(NumAttnHeads), NumAttnHeads),
            (nameof(NumKeyValueHeads), NumKeyValueHeads),
            (nameof(FfnInnerDimMultiplier), FfnInnerDimMultiplier),
            (nameof(FfnInnerDimMultipleOf), FfnInnerDimMultipleOf),
            (nameof(MaxSeqLen), MaxSeqLen),
            (nameof(VocabSize), VocabSize),
            (nameof(RopeTheta), RopeTheta),
            (nameof(RopeScaleFactor), RopeScaleFactor ?? 1),
            (nameof(NormEps), NormEps),
        }
        where !(dim.Value is > 0 and <= MaxValue)
        select string.Create(CultureInfo.InvariantCulture, $"{dim.Name} is {dim.Value}, but must be above 0 and at most {MaxValue:N0}");

    private IEnumerable<string> FindContradictions()
    {
        if (ModelDim % NumAttnHeads != 0)
        {
            yield return $"ModelDim {ModelDim} is not a multiple of NumAttnHeads {NumAttnHeads}";
        }
        else if (HeadDim % 2 != 0)
        {
            yield return $"the head dim {HeadDim} is odd, but rotary encoding works on pairs";
        }

        if (NumAttnHeads % NumKeyValueHeads != 0)
        {
            yield return $"NumAttnHeads {NumAttnHeads} is not a multiple of NumKeyValueHeads {NumKeyValueHeads}";
        }
    }

    private bool IsCountable()
    {
        try
        {
            return ParameterCount > 0;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    private long RoundUp(long dim) => (dim + FfnInnerDimMultipleOf - 1) / FfnInnerDimMultipleOf * FfnInnerDimMultipleOf;
}
