using Fairseq2Llama.Gguf.Writing;

namespace Fairseq2Llama.Gguf;

/// <summary>What each file of a split model says of its place. All but the first say nothing else.</summary>
internal static class SplitMetadata
{
    /// <param name="keys">The keys that the file has, after which these come.</param>
    /// <param name="index">Which of the files, from 0.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="tensorCount">How many tensors all of them have.</param>
    public static MetadataWriter AddTo(MetadataWriter keys, int index, int count, int tensorCount)
    {
        keys.Add(MetadataKeys.SplitNumber, (ushort)index);
        keys.Add(MetadataKeys.SplitCount, (ushort)count);
        keys.Add(MetadataKeys.SplitTensorCount, tensorCount);
        return keys;
    }
}
