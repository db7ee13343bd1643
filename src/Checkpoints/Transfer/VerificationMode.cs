namespace Fairseq2Llama;

/// <summary>How much an export checks.</summary>
public enum VerificationMode
{
    /// <summary>
    /// The CRC-32 of every storage that is copied is compared with the one in its file, and the indexes of the written files with the plan.
    /// Files of the legacy container have no checksums, nor have those that PyTorch saved with compute_crc32=False; that is warned of.
    /// <para>
    /// Where the file system lets input and output share blocks (XFS, Btrfs, bcachefs), large tensors that go over unchanged are neither copied
    /// nor read, unless a checklist is made of them; the output has the checksums of the input, so damage that was there before can be found in it
    /// afterwards as well.
    /// </para>
    /// </summary>
    Auto,

    /// <summary>
    /// As Auto, and shared blocks are read, too, and compared with their checksums; and every byte that was written is read back and
    /// compared with what was to be written. What the operating system holds in memory is read from there and not from the disk.
    /// </summary>
    Full,

    /// <summary>No checksum is compared, and no blocks are shared: the output gets checksums of what was read.</summary>
    None,
}
