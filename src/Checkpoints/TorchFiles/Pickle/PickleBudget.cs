namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>
/// What the pickles of a file may cost, all together. A few bytes can ask for a lot (an empty dict is one byte, a call that copies a memoized list five), so what
/// counts is not the pickle's length but every value that is made, remembered or copied.
/// </summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="maxValues">How many values its pickles may make.</param>
internal sealed class PickleBudget(string file, long maxValues = PickleBudget.MaxValues)
{
    /// <summary>Bytes of all pickles of a file; a state dict of 100,000 tensors takes about 20 MB.</summary>
    public const int MaxBytes = 64 << 20;

    /// <summary>Bytes of a tensor. What lies in a file is bounded by it; an expanded tensor (stride 0) is bounded by nothing else.</summary>
    public const long MaxTensorSize = 1L << 42;

    /// <summary>
    /// Bytes of all tensors of a file, expanded ones counted as what they become: some thousand times the largest models. Sums over the files
    /// of a checkpoint stay within 64 bits.
    /// </summary>
    public const long MaxTotalTensorSize = 1L << 52;

    /// <summary>torch.save spends about 44 of them on a tensor, so this is room for 45,000 tensors.</summary>
    public const int MaxValues = 2_000_000;

    private long _values;
    private long _tensorBytes;

    /// <summary>The file's name, for messages.</summary>
    public string File => file;

    /// <exception cref="CheckpointException">It was too much.</exception>
    public void Charge(long count)
    {
        _values += count;

        if (_values > maxValues)
        {
            throw CheckpointException.Corrupt(file, $"its pickle makes more than {maxValues} values.");
        }
    }

    /// <summary>Counts a tensor's bytes, at most <see cref="MaxTensorSize"/> of them.</summary>
    /// <exception cref="CheckpointException">All tensors together are too large.</exception>
    public void ChargeTensor(long bytes)
    {
        _tensorBytes += bytes;

        if (_tensorBytes > MaxTotalTensorSize)
        {
            throw CheckpointException.Corrupt(file, $"it claims to hold tensors of more than {MaxTotalTensorSize} bytes.");
        }
    }
}
