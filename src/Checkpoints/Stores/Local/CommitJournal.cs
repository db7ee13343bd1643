using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Fairseq2Llama.Native;

namespace Fairseq2Llama.Stores.Local;

/// <summary>
/// The commit journal: the moves that put an export in place, in order. It is written before the first move, so that the next export can
/// finish what this one can't if it is killed.
/// </summary>
internal sealed record CommitJournal(ImmutableArray<CommitStep> Steps)
{
    private const string FileName = "commit";

    /// <summary>Its first line. If you change the meaning of the other lines, change the number, so that no version carries out the journal of another.</summary>
    private const string Header = "fairseq2llama commit journal 1";

    private static readonly FrozenDictionary<CommitAction, string> Words = new Dictionary<CommitAction, string>
    {
        [CommitAction.Remove] = "remove",
        [CommitAction.Place] = "place",
    }.ToFrozenDictionary();

    /// <summary>The file that marks a folder as complete is removed first and placed last.</summary>
    public static CommitJournal Of(FolderChange change) => new(
    [
        .. from name in change.Leaving.OrderBy(name => !RealPath.Comparer.Equals(name, change.CommitMarker))
           select new CommitStep(CommitAction.Remove, name),
        .. from name in change.Placed.OrderBy(name => name == change.CommitMarker)
           select new CommitStep(CommitAction.Place, name),
        .. from name in change.Consumed
           select new CommitStep(CommitAction.Remove, name),
    ]);

    public static bool IsIn(string staging) => File.Exists(Path.Combine(staging, FileName));

    /// <param name="staging">The folder that it is in.</param>
    /// <param name="isExported">Whether exports write files of a name. Others may write into the folder, and no journal may name any other file.</param>
    /// <exception cref="IOException">It is of another version, or was tampered with.</exception>
    public static CommitJournal Read(string staging, Func<string, bool> isExported)
    {
        var path = Path.Combine(staging, FileName);

        return Parse(ReadText(path), path, isExported);
    }

    /// <param name="text">All of one.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="isExported">As for <see cref="Read"/>.</param>
    /// <exception cref="IOException">As there.</exception>
    public static CommitJournal Parse(string text, string path, Func<string, bool> isExported) => text.Split('\n') is [Header, .. var lines, ""]
        ? new CommitJournal([.. lines.Select(line => ParseStep(line, isExported) ?? throw new IOException($"'{path}' can't be interpreted: it says '{line}'."))])
        : throw new IOException($"'{path}' can't be interpreted: another version of this module wrote it.");

    /// <returns>Whether there is none.</returns>
    public static bool Remove(string staging) => Discard.File(Path.Combine(staging, FileName));

    /// <summary>Anybody who may write into the destination could have put a journal there, for this user to carry out.</summary>
    private static string ReadText(string path)
    {
        using var file = OperatingSystem.IsWindows() ? File.OpenHandle(path, share: FileShare.Read | FileShare.Delete) : UnixFile.OpenOwn(path, Posix.ReadOnly);
        using var reader = new StreamReader(new FileStream(file, FileAccess.Read));
        return reader.ReadToEnd();
    }

    public byte[] ToBytes() =>
        Encoding.UTF8.GetBytes(string.Concat(Steps.Select(step => $"{Words[step.Action]} {step.Name}").Prepend(Header).Select(line => line + '\n')));

    public void Write(string staging, bool flush)
    {
        var path = Path.Combine(staging, FileName);

        // Half a journal would be worse than none.
        var draft = path + ".draft";
        OutputFile.WriteAll(draft, ToBytes(), flush);
        LocalChange.Move(draft, path, overwrite: true);
    }

    private static CommitStep? ParseStep(string line, Func<string, bool> isExported) =>
        line.Split(' ', 2) is [var word, var name] && Words.FirstOrDefault(entry => entry.Value == word) is { Value: not null } known && isExported(name)
            ? new CommitStep(known.Key, name)
            : null;
}

/// <summary>One move.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Name">The name of a file.</param>
internal readonly record struct CommitStep(CommitAction Action, string Name);

/// <summary>The kind of a move.</summary>
internal enum CommitAction
{
    /// <summary>Takes it out of the destination.</summary>
    Remove,

    /// <summary>Puts it into the destination, where none is any more.</summary>
    Place,
}
