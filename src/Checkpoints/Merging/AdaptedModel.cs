using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Merging;

/// <summary>The tensors of a model after a LoRA was merged into it.</summary>
internal sealed class AdaptedModel
{
    private readonly LlamaCheckpoint _checkpoint;
    private readonly LoraAdapter _lora;
    private readonly Dictionary<string, CheckpointTensor> _weights;
    private readonly Dictionary<string, LoraMatrices> _matrices;
    private readonly Dictionary<string, CheckpointTensor> _replacements;
    private readonly List<CheckpointFinding> _findings = [];
    private readonly List<CheckpointFinding> _types = [];

    /// <param name="checkpoint">The model.</param>
    /// <param name="tensors">Its tensors, without those of a LoRA.</param>
    /// <param name="lora">What is merged into it.</param>
    /// <exception cref="CheckpointException">It does not fit.</exception>
    public AdaptedModel(LlamaCheckpoint checkpoint, ImmutableArray<CheckpointTensor> tensors, LoraAdapter lora)
    {
        (_checkpoint, _lora) = (checkpoint, lora);
        tensors = [.. tensors.Where(tensor => !tensor.ParsedName.IsComputed)];
        _weights = tensors.Where(tensor => tensor.ParsedName.Parameter is not null).ToDictionary(tensor => tensor.CanonicalName, StringComparer.Ordinal);
        _matrices = lora.Matrices.ToDictionary(matrices => CanonicalNameOf(matrices.Weight), StringComparer.Ordinal);
        _replacements = lora.Replacements.ToDictionary(tensor => tensor.CanonicalName, StringComparer.Ordinal);

        if (_weights.TryGetValue(NameOf(LlamaParameter.Embedding), out var embedding) && !_weights.ContainsKey(NameOf(LlamaParameter.Output)) && IsAdapted(LlamaParameter.Embedding, LlamaParameter.Output))
        {
            // The output was the embedding table, and from now on is another one.
            var output = embedding.As(ParameterName.Parse(NameOf(LlamaParameter.Output), NamingConvention.Reference).Translate(embedding.ParsedName.Convention));
            output.Owner = embedding.Owner;
            _weights.Add(output.CanonicalName, output);
            tensors = [.. tensors, output];
            IsUntied = true;
        }
        else
        {
            IsUntied = SharedStorage.IsOutputTied(tensors) && IsAdapted(LlamaParameter.Embedding, LlamaParameter.Output);
        }

        RequireFit();
        Tensors = [.. tensors.Select(Merge)];
    }

    public ImmutableArray<MergedTensor> Tensors { get; }

    /// <summary>Whether the output was tied to the embeddings, and is so no longer.</summary>
    public bool IsUntied { get; }

    /// <summary>Rows of a head, where rows of the adapter are brought into another order; otherwise null.</summary>
    public int? AssumedHeadDim => _lora.Matrices.Select(matrices => matrices.B).Concat(_lora.Replacements).FirstOrDefault(tensor => tensor.HalfSplitHeadDim is not null)?.HalfSplitHeadDim;

    private static string NameOf(LlamaParameter parameter) => parameter.ReferencePrefix + LlamaParameter.Suffix;

    private static string CanonicalNameOf(ParameterName name) => name.In(NamingConvention.Reference)!;

    private bool IsAdapted(params ReadOnlySpan<LlamaParameter> parameters)
    {
        foreach (var parameter in parameters)
        {
            if (_matrices.ContainsKey(NameOf(parameter)) || _replacements.ContainsKey(NameOf(parameter)))
            {
                return true;
            }
        }

        return false;
    }

    private MergedTensor Merge(CheckpointTensor tensor)
    {
        var name = tensor.ParsedName.Parameter is null ? "" : tensor.CanonicalName;
        var weight = _replacements.TryGetValue(name, out var replacement) ? replacement : tensor;
        var dtype = MergeTypes.ResultOf([tensor]);

        return _matrices.TryGetValue(name, out var matrices) ? new MergedTensor(tensor.ParsedName, new LowRankUpdate(dtype, weight, matrices.ToFactors(), tensor.HalfSplitHeadDim))
            : replacement is null ? new MergedTensor(tensor.ParsedName, tensor)
            : new MergedTensor(tensor.ParsedName, new WeightedAverage(dtype, [replacement], [1], tensor.HalfSplitHeadDim));
    }

    private void RequireFit()
    {
        foreach (var (name, matrices) in _matrices)
        {
            var factors = matrices.ToFactors();
            Require(name, matrices.Weight, new TensorShape([factors.Left.Shape[0], factors.Right.Shape[1]]));

            if (!float.IsFinite(factors.Scale))
            {
                Add(string.Create(CultureInfo.InvariantCulture, $"the scale of what is added to '{matrices.Weight.Name}' is {matrices.Scale}, which is too large for float32"), name);
            }

            if (Math.Max(factors.Left.ElementCount, factors.Right.ElementCount) > Array.MaxLength / sizeof(float))
            {
                Add($"the matrices of '{matrices.Weight.Name}' are {matrices.A.Shape} and {matrices.B.Shape}, too large for those of a LoRA", name);
                continue;
            }

            foreach (var input in new[] { factors.Left, factors.Right }.Concat(_weights.TryGetValue(name, out var weight) ? [weight] : []))
            {
                RequireComputable(input);
            }
        }

        foreach (var (name, replacement) in _replacements)
        {
            Require(name, replacement.ParsedName, replacement.Shape);
            RequireComputable(replacement);
        }

        CheckpointException.ThrowIfAny(
            _findings,
            _lora.Path == _checkpoint.Path ? $"The LoRA in '{_lora.Path}' does not fit its weights" : $"The adapter '{_lora.Path}' does not fit '{_checkpoint.Path}'",
            _lora.Path == _checkpoint.Path ? "The file is damaged, or its tensors are not of one model." : "Use the base model that the adapter was trained on.");
        CheckpointException.ThrowIfAny(_types, $"The adapter '{_lora.Path}' can't be merged into '{_checkpoint.Path}'", MergeTypes.Remedy);
    }

    private void Require(string name, ParameterName own, TensorShape shape)
    {
        if (!_weights.TryGetValue(name, out var weight))
        {
            Add($"it adapts '{own.Name}', which the model does not have", name);
        }
        else if (!weight.Shape.Equals(shape))
        {
            Add($"'{weight.Name}' is {weight.Shape}, and what the adapter has for it is {shape}", name);
        }
        else if (own is { IsRotary: true, Convention.IsHalfSplit: true } && !_checkpoint.Tensors.Any(tensor => tensor.HalfSplitHeadDim is not null) && _checkpoint.Architecture is null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.ArchitectureRequired,
                $"The adapter '{_lora.Path}' has the rows of '{own.Name}' in Hugging Face's order, which depends on the number of attention heads, and nothing beside '{_checkpoint.Path}' tells it."
                    + " Read the checkpoint with -Architecture.",
                _checkpoint.Path);
        }
    }

    private void RequireComputable(CheckpointTensor tensor)
    {
        if (MergeTypes.Refuse(tensor) is { } problem)
        {
            _types.Add(new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.UnsupportedTensor, problem, tensor.Shards[0].Key));
        }
    }

    private void Add(string message, string tensor) => _findings.Add(new CheckpointFinding(FindingSeverity.Error, CheckpointErrorCode.AdapterMismatch, message, tensor));
}
