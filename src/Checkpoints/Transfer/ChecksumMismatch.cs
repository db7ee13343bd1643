namespace Fairseq2Llama.Transfer;

/// <summary>The error for a record whose bytes are not those that its checksum was made of.</summary>
internal static class ChecksumMismatch
{
    public static CheckpointException Of(string file, string record) => new(
        CheckpointErrorCode.CheckpointCorrupt,
        $"The record '{record}' of '{file}' does not match its CRC-32: the file was damaged after it was saved. Copy it again from its"
        + " origin. If its checksums were never valid, export with -Verification None.",
        file);
}
