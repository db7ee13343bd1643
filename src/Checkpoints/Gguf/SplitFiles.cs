using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>Divides tensors over files as gguf-py's GGUFWriter does (add_tensor_info).</summary>
internal static class SplitFiles
{
    /// <param name="tensors">In their order.</param>
    /// <param name="maxSize">Bytes of tensors that a file may hold; one that has more is alone in its file.</param>
    public static IReadOnlyList<IReadOnlyList<PlannedTensor>> Divide(IEnumerable<PlannedTensor> tensors, long maxSize)
    {
        var files = new List<List<PlannedTensor>> { new() };
        var size = 0L;

        foreach (var tensor in tensors)
        {
            if (files[^1].Count > 0 && tensor.Storage.Length > maxSize - size)
            {
                files.Add([]);
                size = 0;
            }

            files[^1].Add(tensor);
            size += tensor.Storage.Length;
        }

        return files;
    }
}
