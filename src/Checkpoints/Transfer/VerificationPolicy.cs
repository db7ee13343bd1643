namespace Fairseq2Llama.Transfer;

/// <summary>The meaning of a <see cref="VerificationMode"/>, decided once and passed on.</summary>
/// <param name="ComparesChecksums">Whether what is read is compared with the checksums of its file.</param>
/// <param name="ReadsBack">Whether what was written, and what lies in shared blocks, is read once more.</param>
/// <param name="SharesBlocks">Whether blocks may be shared, so that what the input's checksums say of them is believed.</param>
internal sealed record VerificationPolicy(bool ComparesChecksums, bool ReadsBack, bool SharesBlocks)
{
    /// <summary>For data that is looked at and not exported.</summary>
    public static VerificationPolicy Usual { get; } = Of(VerificationMode.Auto);

    public static VerificationPolicy Of(VerificationMode mode) => mode switch
    {
        VerificationMode.Auto => new(ComparesChecksums: true, ReadsBack: false, SharesBlocks: true),
        VerificationMode.Full => new(ComparesChecksums: true, ReadsBack: true, SharesBlocks: true),
        VerificationMode.None => new(ComparesChecksums: false, ReadsBack: false, SharesBlocks: false),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "No such mode."),
    };
}
