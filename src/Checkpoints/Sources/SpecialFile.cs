using System.Formats.Tar;

namespace Fairseq2Llama.Sources;

/// <summary>Devices, pipes and sockets, which are no files that could be replaced: without /dev/null a system stands still.</summary>
internal static class SpecialFile
{
    /// <param name="path">An absolute path with no links in it.</param>
    /// <exception cref="IOException">It can't be looked at.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be looked at.</exception>
    public static bool IsAt(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: 0 })
        {
            return false;
        }

        // .NET tells nowhere else what it is, and opening a pipe could wait for ever.
        using var archive = new MemoryStream();

        try
        {
            using var writer = new TarWriter(archive, leaveOpen: true);
            writer.WriteEntry(path, "it");
        }
        catch (IOException) when (File.Exists(path))
        {
            // A socket has no place in an archive.
            return true;
        }

        archive.Position = 0;
        using var reader = new TarReader(archive);
        return reader.GetNextEntry() is { EntryType: TarEntryType.Fifo or TarEntryType.CharacterDevice or TarEntryType.BlockDevice };
    }
}
