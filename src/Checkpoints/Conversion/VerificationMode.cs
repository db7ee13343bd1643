namespace Fairseq2Llama;

/// <summary>How much an export checks.</summary>
public enum VerificationMode
{
    /// <summary>
    /// The CRC-32 of every storage that is copied is compared with the one in its file (the legacy container has none), and the
    /// indexes of the written files with the plan.
    /// </summary>
    Auto,

    /// <summary>As Auto, and every byte that was written is read back and compared with what was to be written.</summary>
    Full,

    /// <summary>No checksum is compared. For files saved with PyTorch's compute_crc32=False, whose checksums are invalid.</summary>
    None,
}
