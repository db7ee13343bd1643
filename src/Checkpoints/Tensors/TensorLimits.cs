namespace Fairseq2Llama.Tensors;

/// <summary>The limits for the name and the shape of a tensor in any file, as in SECURITY.md.</summary>
internal static class TensorLimits
{
    /// <summary>Characters of a name: it is hashed and compared again and again, and a message has room for it.</summary>
    public const int MaxNameLength = 1024;

    /// <summary>As in PyTorch.</summary>
    public const int MaxDims = 64;

    /// <exception cref="CheckpointException">A name could talk to the terminal that it is shown on.</exception>
    public static void RequirePrintable(string name, string file)
    {
        if (!PrintableText.IsPrintable(name))
        {
            throw CheckpointException.Corrupt(file, "the name of a tensor has control characters or invisible characters in it.");
        }
    }
}
