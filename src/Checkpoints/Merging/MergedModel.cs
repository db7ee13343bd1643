using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Merging;

/// <summary>The tensors of a checkpoint under the names that all formats have for them.</summary>
internal sealed class MergedModel
{
    private static readonly string Output = LlamaParameter.Output.ReferencePrefix + LlamaParameter.Suffix;
    private static readonly string Embedding = LlamaParameter.Embedding.ReferencePrefix + LlamaParameter.Suffix;

    private readonly Dictionary<string, CheckpointTensor> _tensors;

    public MergedModel(LlamaCheckpoint checkpoint)
    {
        Checkpoint = checkpoint;
        Tensors = [.. checkpoint.Tensors.Where(tensor => !tensor.ParsedName.IsComputed)];
        _tensors = Tensors.ToDictionary(tensor => tensor.CanonicalName, StringComparer.Ordinal);
    }

    public LlamaCheckpoint Checkpoint { get; }

    /// <summary>Its tensors, without those that follow from the architecture.</summary>
    public ImmutableArray<CheckpointTensor> Tensors { get; }

    /// <summary>The names of its tensors in Meta's format or, where that has no such module, its own.</summary>
    public IEnumerable<string> Names => Tensors.Select(tensor => tensor.CanonicalName);

    /// <summary>A tensor; the embeddings for an output projection that is tied to them and left out; null if there is none.</summary>
    public CheckpointTensor? Find(string name) => _tensors.GetValueOrDefault(name) ?? (name == Output ? _tensors.GetValueOrDefault(Embedding) : null);

    /// <summary>The name that the checkpoint has for a tensor.</summary>
    public ParameterName NameOf(string name) => _tensors.GetValueOrDefault(name)?.ParsedName ?? ParameterName.Parse(name, NamingConvention.Reference).Translate(Convention);

    private NamingConvention Convention => Tensors[0].ParsedName.Convention;

    /// <summary>How the tensors of another differ in names and shapes.</summary>
    public IEnumerable<CheckpointFinding> FindDifferences(MergedModel other)
    {
        foreach (var tensor in Tensors)
        {
            if (other.Find(tensor.CanonicalName) is not { } its)
            {
                yield return Mismatch($"'{tensor.Name}' is not in '{other.Checkpoint.Path}'", tensor);
            }
            else if (!its.Shape.Equals(tensor.Shape))
            {
                yield return Mismatch($"'{tensor.Name}' is {tensor.Shape}, and {its.Shape} in '{other.Checkpoint.Path}'", tensor);
            }
        }

        foreach (var tensor in other.Tensors.Where(tensor => Find(tensor.CanonicalName) is null))
        {
            yield return Mismatch($"'{tensor.Name}' is only in '{other.Checkpoint.Path}'", tensor);
        }
    }

    private static CheckpointFinding Mismatch(string message, CheckpointTensor tensor) => new(FindingSeverity.Error, CheckpointErrorCode.MergeMismatch, message, tensor.Name);
}
