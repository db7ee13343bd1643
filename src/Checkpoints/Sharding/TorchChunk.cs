namespace Fairseq2Llama.Sharding;

/// <summary>How torch.chunk, and so FSDP, divides rows: all pieces alike but the last, after which there is nothing left for further ones.</summary>
internal static class TorchChunk
{
    public static long[] Divide(long rows, int count)
    {
        var size = (rows + count - 1) / count;
        return [.. Enumerable.Range(0, count).Select(index => Math.Clamp(rows - (index * size), 0, size))];
    }
}
