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
internal sealed record CommitNote(ImmutableArray<CommitStep> Steps)
{
    private const string FileName = "commit";

    /// <summary>What a folder is taken for whole by leaves first and comes last.</summary>
    public static CommitNote Of(ConversionPlan plan)
    {
        var completion = plan.Folder.Completion;
        var shared = plan.Files.OfType<PlannedTextFile>().Where(file => file.IsShared).Select(file => file.Name).ToArray();

        return new CommitNote(
        [
            .. from name in plan.ReplacedFiles.Except(shared).Concat(plan.StaleFiles).OrderBy(name => name != completion)
               select new CommitStep(CommitStep.Remove, name),
            .. from name in plan.Files.Select(file => file.Name).Except(shared).OrderBy(name => name == completion)
               select new CommitStep(CommitStep.Place, name),
            .. from name in shared
               select new CommitStep(plan.ReplacedFiles.Contains(name) ? CommitStep.ShareAnew : CommitStep.Share, name),
        ]);
    }

    public static bool IsIn(string staging) => File.Exists(Path.Combine(staging, FileName));

    /// <exception cref="IOException">It is not of this version, or was tampered with.</exception>
    public static CommitNote Read(string staging)
    {
        var path = Path.Combine(staging, FileName);
        var steps = ReadLines(path).Where(line => line.Length > 0).Select(line => new CommitStep(line[0], line[1..])).ToImmutableArray();

        return steps.All(step => step.IsValid) ? new CommitNote(steps) : throw new IOException($"'{path}' is not understood.");
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

        // Half a note would be worse than none.
        var draft = path + ".draft";
        OutputFile.WriteAll(draft, Encoding.UTF8.GetBytes(string.Concat(Steps.Select(step => $"{step.Action}{step.Name}\n"))), flush);
        File.Move(draft, path, overwrite: true);
    }
}

/// <summary>One move.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Name">The name of a file.</param>
internal readonly record struct CommitStep(char Action, string Name)
{
    /// <summary>Takes it out of the destination.</summary>
    public const char Remove = '-';

    /// <summary>Puts it into the destination, where none is any more.</summary>
    public const char Place = '+';

    /// <summary>Puts it there, unless another job has done so.</summary>
    public const char Share = '=';

    /// <summary>Puts it there, unless another job has done so, in place of one of an earlier export.</summary>
    public const char ShareAnew = '~';

    /// <summary>A note is found in a folder that others may write into, so it must not be able to name other files than exports have.</summary>
    public bool IsValid =>
        Action is Remove or Place or Share or ShareAnew && CheckpointFormats.IsWritten(Name);
}
