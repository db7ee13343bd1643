using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Native;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Conversion.Destination;

/// <summary>
/// What has to be moved to put an export in place, in this order. It is written down before the first move, so that the next export can
/// finish what this one can't if it is killed.
/// </summary>
internal sealed record CommitJournal(ImmutableArray<CommitStep> Steps)
{
    private const string FileName = "commit";

    /// <summary>Its first line. Whoever changes what the others mean changes the number, so that no version carries out what another has written.</summary>
    private const string Header = "fairseq2llama commit journal 1";

    private static readonly FrozenDictionary<CommitAction, string> Words = new Dictionary<CommitAction, string>
    {
        [CommitAction.Remove] = "remove",
        [CommitAction.Place] = "place",
        [CommitAction.Share] = "share",
        [CommitAction.ReplaceShared] = "replace-shared",
    }.ToFrozenDictionary();

    /// <summary>What a folder is taken for whole by leaves first and comes last.</summary>
    public static CommitJournal Of(ConversionPlan plan)
    {
        var completion = plan.Folder.CommitMarker;
        var shared = plan.Files.OfType<PlannedTextFile>().Where(file => file.IsShared).Select(file => file.Name).ToArray();

        return new CommitJournal(
        [
            .. from name in plan.ReplacedFiles.Except(shared).Concat(plan.StaleFiles).OrderBy(name => name != completion)
               select new CommitStep(CommitAction.Remove, name),
            .. from name in plan.Files.Select(file => file.Name).Except(shared).OrderBy(name => name == completion)
               select new CommitStep(CommitAction.Place, name),
            .. from name in shared
               select new CommitStep(plan.ReplacedFiles.Contains(name) ? CommitAction.ReplaceShared : CommitAction.Share, name),
        ]);
    }

    public static bool IsIn(string staging) => File.Exists(Path.Combine(staging, FileName));

    /// <exception cref="IOException">It is of another version, or was tampered with.</exception>
    public static CommitJournal Read(string staging)
    {
        var path = Path.Combine(staging, FileName);

        if (ReadLines(path) is not [Header, .. var lines, ""])
        {
            throw new IOException($"'{path}' is not understood: another version of this module has written it.");
        }

        return new CommitJournal([.. lines.Select(line => Parse(line) ?? throw new IOException($"'{path}' is not understood: it says '{line}'."))]);
    }

    /// <returns>Whether there is none.</returns>
    public static bool Remove(string staging) => Discard.File(Path.Combine(staging, FileName));

    /// <summary>Whoever may write into the destination could have put one there, for this user to carry out.</summary>
    private static string[] ReadLines(string path)
    {
        using var file = OperatingSystem.IsWindows() ? File.OpenHandle(path) : UnixFile.OpenOwn(path, Posix.ReadOnly);
        using var reader = new StreamReader(new FileStream(file, FileAccess.Read));
        return reader.ReadToEnd().Split('\n');
    }

    public void Write(string staging, bool flush)
    {
        var path = Path.Combine(staging, FileName);
        var lines = Steps.Select(step => $"{Words[step.Action]} {step.Name}").Prepend(Header);

        // Half a journal would be worse than none.
        var draft = path + ".draft";
        OutputFile.WriteAll(draft, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))), flush);
        File.Move(draft, path, overwrite: true);
    }

    /// <summary>A journal is found in a folder that others may write into, so it must not be able to name other files than exports have.</summary>
    private static CommitStep? Parse(string line) =>
        line.Split(' ', 2) is [var word, var name] && Words.FirstOrDefault(entry => entry.Value == word) is { Value: not null } known && CheckpointFormats.IsWritten(name)
            ? new CommitStep(known.Key, name)
            : null;
}

/// <summary>One move.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Name">The name of a file.</param>
internal readonly record struct CommitStep(CommitAction Action, string Name);

/// <summary>What a move does with a file.</summary>
internal enum CommitAction
{
    /// <summary>Takes it out of the destination.</summary>
    Remove,

    /// <summary>Puts it into the destination, where none is any more.</summary>
    Place,

    /// <summary>Puts it there, unless another job has done so.</summary>
    Share,

    /// <summary>Puts it there, unless another job has done so, in place of one of an earlier export.</summary>
    ReplaceShared,
}
