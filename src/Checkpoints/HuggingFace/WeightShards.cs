using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.HuggingFace;

/// <summary>Divides tensors over files as huggingface_hub does (split_state_dict_into_shards_factory).</summary>
internal static class WeightShards
{
    /// <param name="tensors">In the order of the modules.</param>
    /// <param name="maxSize">Bytes that a file may hold; a tensor that has more is alone in one, before that which is being filled.</param>
    public static IReadOnlyList<IReadOnlyList<PlannedTensor>> Divide(IEnumerable<PlannedTensor> tensors, long maxSize)
    {
        var shards = new List<IReadOnlyList<PlannedTensor>>();
        var current = new List<PlannedTensor>();
        var size = 0L;

        foreach (var tensor in tensors)
        {
            var length = tensor.Storage.Length;

            if (length > maxSize)
            {
                shards.Add([tensor]);
                continue;
            }

            if (size + length > maxSize)
            {
                shards.Add(current);
                (current, size) = ([], 0);
            }

            current.Add(tensor);
            size += length;
        }

        return current.Count > 0 ? [.. shards, current] : shards;
    }
}
