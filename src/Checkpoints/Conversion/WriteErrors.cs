namespace Fairseq2Llama;

/// <summary>Turns what the operating system says about writing into our errors.</summary>
internal static class WriteErrors
{
    private const int PosixNoSpace = 28;
    private const int PosixQuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    public static CheckpointException Translate(Exception cause, string path) =>
        cause.HResult is PosixNoSpace or PosixQuotaExceeded or WindowsDiskFull
            ? new CheckpointException(
                CheckpointErrorCode.InsufficientDiskSpace,
                $"'{path}' can't be written: the file system is full. Nothing was left behind; free some space, or choose another folder.",
                path,
                cause)
            : new CheckpointException(
                CheckpointErrorCode.WriteFailed, $"'{path}' can't be written: {cause.Message} Nothing was left behind.", path, cause);
}
