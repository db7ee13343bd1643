namespace Fairseq2Llama.Stores.Local;

/// <summary>Turns write errors of the operating system into errors of the module.</summary>
internal static class WriteErrors
{
    private const int LinuxNoSpace = 28;
    private const int LinuxQuotaExceeded = 122;
    private const int MacQuotaExceeded = 69;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsQuotaExceeded = unchecked((int)0x8007050F);

    /// <summary>The error of .NET if preallocation finds no space. .NET uses it for many other errors, too.</summary>
    private const int Unspecific = unchecked((int)0x80131620);

    /// <param name="cause">The exception.</param>
    /// <param name="path">Where was written.</param>
    /// <param name="length">Bytes that were to be written.</param>
    public static CheckpointException Translate(Exception cause, string path, long length) =>
        cause is FileInUseException { Path: var open }
            ? new CheckpointException(
                CheckpointErrorCode.WriteFailed, $"'{open}' is open in another program and can't be replaced. Close it there, or choose another destination.", path, cause)
        : IsFull(cause.HResult, path, length)
            ? new CheckpointException(
                CheckpointErrorCode.InsufficientDiskSpace,
                $"'{path}' can't be written: its file system is full. Free some space, or choose another folder.",
                path,
                cause)
            : new CheckpointException(CheckpointErrorCode.WriteFailed, $"'{path}' can't be written: {cause.Message.TrimEnd('.')}. Correct this, or choose another folder.", path, cause);

    private static bool IsFull(int code, string path, long length) =>
        code is LinuxNoSpace or LinuxQuotaExceeded or WindowsDiskFull or WindowsHandleDiskFull or WindowsQuotaExceeded
        || (code == MacQuotaExceeded && OperatingSystem.IsMacOS())
        || (code == Unspecific && DiskSpace.Available(path) < length);
}
