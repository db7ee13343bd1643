namespace Fairseq2Llama;

/// <summary>How much an export checks.</summary>
public enum VerificationMode
{
    /// <summary>
    /// The CRC-32 of every storage that is copied is compared with the one in its file, and the indexes of the written files with the plan.
    /// Files of the legacy container have no checksums, nor have those that PyTorch saved with compute_crc32=False; that is warned of.
    /// </summary>
    Auto,

    /// <summary>As Auto, and every byte that was written is read back and compared with what was to be written.</summary>
    Full,

    /// <summary>No checksum is compared.</summary>
    None,
}
