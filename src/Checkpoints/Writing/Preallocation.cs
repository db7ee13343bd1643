using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Writing;

/// <summary>Asks the file system for room before anything is written, which finds a full disk now rather than after an hour.</summary>
internal static class Preallocation
{
    /// <summary>The error number of a full disk, on Linux and macOS.</summary>
    private const int NoSpace = 28;

    /// <summary>What .NET says of every failure that it has no number for, as of this one.</summary>
    private const int Unspecific = unchecked((int)0x80131620);

    /// <summary>A file beyond that size can be too large for the file system, too, and .NET tells the two apart only by their texts.</summary>
    private const long MaxCertain = uint.MaxValue;

    /// <param name="path">Where; there must be no such file.</param>
    /// <param name="length">Bytes to ask for; 0 for none.</param>
    /// <exception cref="IOException">There is no room, or the file can't be made.</exception>
    public static SafeFileHandle Create(string path, long length)
    {
        try
        {
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: length);
        }
        catch (IOException e) when (e.HResult == Unspecific && length is > 0 and < MaxCertain)
        {
            throw new IOException(e.Message, NoSpace);
        }
    }
}
