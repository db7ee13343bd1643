using System.Collections.Immutable;
using Fairseq2Llama.Llama;

namespace Fairseq2Llama.Comparison;

/// <summary>Aligns the tensors of two checkpoints by what they are, whatever their formats call them.</summary>
internal static class TensorPairs
{
    /// <summary>Those of the reference in its order, then what only the other has.</summary>
    /// <exception cref="CheckpointException">A checkpoint has the same parameter under the names of two formats.</exception>
    public static ImmutableArray<TensorPair> Of(LlamaCheckpoint reference, LlamaCheckpoint difference)
    {
        var (left, right) = (Index(reference), Index(difference));

        return
        [
            .. left.Select(entry => new TensorPair(entry.Key, entry.Value, Find(right, entry.Value, entry.Key))),
            .. from entry in right
               where !left.ContainsKey(entry.Key)
               select new TensorPair(entry.Key, Find(left, entry.Value, entry.Key), entry.Value),
        ];
    }

    /// <summary>
    /// The tensor of a name; for an output that is not there the embedding table, to which it is tied then: Hugging Face's format leaves it out,
    /// fairseq2 may, and the reference format never does.
    /// </summary>
    private static CheckpointTensor? Find(Dictionary<string, CheckpointTensor> tensors, CheckpointTensor other, string name) =>
        tensors.GetValueOrDefault(name)
        ?? (other.ParsedName.Parameter == LlamaParameter.Output
            ? tensors.Values.FirstOrDefault(tensor => tensor.ParsedName.Parameter == LlamaParameter.Embedding)
            : null);

    private static Dictionary<string, CheckpointTensor> Index(LlamaCheckpoint checkpoint)
    {
        // As long as nothing is removed, it keeps its order.
        var tensors = new Dictionary<string, CheckpointTensor>(StringComparer.Ordinal);

        foreach (var tensor in checkpoint.Tensors)
        {
            var name = tensor.Fairseq2Name ?? tensor.Name;

            if (!tensors.TryAdd(name, tensor))
            {
                throw new CheckpointException(
                    CheckpointErrorCode.UnmappedTensor,
                    $"'{tensor.Name}' and '{tensors[name].Name}' of '{checkpoint.Path}' are both the parameter '{name}', so it is unclear which one to compare.",
                    tensor.Name);
            }
        }

        return tensors;
    }
}
