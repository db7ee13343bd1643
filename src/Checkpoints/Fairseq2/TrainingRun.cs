using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// A folder with the steps of a training run, as every version of fairseq2 keeps them: <c>step_500</c>, <c>step_1000</c>, …, and
/// <c>step_1500.tmp</c> for one that is being written. It is called <c>checkpoints</c> and lies in the folder of the run. Of a step that is
/// written under its final name, <see cref="StepFiles"/> tell whether it is finished.
/// </summary>
internal sealed partial class TrainingRun
{
    private const string FolderName = "checkpoints", StepPrefix = "step_";

    private readonly ICheckpointFolder _folder;
    private readonly IReadOnlyList<(long Number, ICheckpointFolder Folder)> _steps;

    private TrainingRun(ICheckpointFolder folder)
    {
        _folder = folder;
        _steps =
        [
            .. from name in folder.FolderNames
               let number = NumberOf(name)
               where number is not null
               orderby number descending
               select (number.Value, folder.Folder(name)),
        ];
    }

    /// <summary>Its folder of steps.</summary>
    public ICheckpointFolder Folder => _folder;

    /// <summary>Whether any of its steps holds a model, finished or not.</summary>
    public bool HasModels => _steps.Any(step => CheckpointLayouts.HasModel(step.Folder));

    /// <param name="folder">A run or its folder of steps; it need not exist.</param>
    /// <returns>Null when it is neither.</returns>
    public static TrainingRun? Find(ICheckpointFolder folder)
    {
        var run = new[] { folder.Folder(FolderName), folder }.FirstOrDefault(place => place.Exists && StepsIn(place).Any());

        return run is null ? null : new TrainingRun(run);
    }

    /// <summary>The number of a step by the name of its folder; null when it is not one, or is not finished.</summary>
    public static long? NumberOf(string name) =>
        StepPattern().Match(name) is { Success: true } match
        && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The name of the run that a step belongs to, not that of its folder of steps.</summary>
    /// <param name="step">The folder of the step.</param>
    public static string NameOf(ICheckpointFolder step)
    {
        var steps = step.Parent;
        var run = steps?.Name == FolderName ? steps.Parent : steps;

        // At the root of a file system there are no names.
        return run is { Name.Length: > 0 } ? run.Name : "run";
    }

    /// <summary>The folder of a step: the one of that number, otherwise the newest that is finished.</summary>
    /// <param name="number">Which step, or null.</param>
    /// <param name="log">Told which are skipped.</param>
    /// <param name="warn">Told which are skipped though their names say that they are finished: files may as well have been lost.</param>
    /// <exception cref="CheckpointException">There is none, or the one of that number lacks files.</exception>
    public ICheckpointFolder FindStep(long? number, Action<string>? log, Action<string> warn)
    {
        LogUnfinished(log);
        var gaps = new List<string>();

        foreach (var step in _steps.Where(step => number is null || step.Number == number))
        {
            if (!HasModel(step.Folder, log))
            {
                continue;
            }

            if (FindGap(step) is not { } gap)
            {
                gaps.ForEach(warn);
                return step.Folder;
            }

            if (number is not null)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.MissingShard,
                    $"'{step.Folder.Path}' is not finished, or files are missing: {gap}. Wait until it is saved, or copy the missing files from where the model was trained.",
                    step.Folder.Path);
            }

            gaps.Add(PassedOver(step.Folder, gap));
        }

        throw NotFound(number is null ? "no finished step" : $"no finished step {number}", gaps);
    }

    /// <summary>The numbers of the finished steps that match a wildcard, in any order.</summary>
    /// <param name="wildcard">The wildcard as it was written.</param>
    /// <param name="isMatch">Whether it matches a number.</param>
    /// <param name="log">As for <see cref="FindStep"/>.</param>
    /// <param name="warn">As for <see cref="FindStep"/>.</param>
    /// <exception cref="CheckpointException">There is none.</exception>
    public IReadOnlyList<long> FindMatching(string wildcard, Func<long, bool> isMatch, Action<string>? log, Action<string>? warn)
    {
        LogUnfinished(log);
        var (found, gaps) = (new List<long>(), new List<string>());

        foreach (var step in _steps.Where(step => isMatch(step.Number) && HasModel(step.Folder, log)))
        {
            if (FindGap(step) is { } gap)
            {
                gaps.Add(PassedOver(step.Folder, gap));
            }
            else
            {
                found.Add(step.Number);
            }
        }

        if (found.Count == 0)
        {
            throw NotFound($"no finished step that matches '{wildcard}'", gaps);
        }

        gaps.ForEach(gap => warn?.Invoke(gap));
        return found;
    }

    /// <summary>The numbers of the steps that are finished, the newest first.</summary>
    public IEnumerable<long> FindFinished() =>
        _steps.Where(step => CheckpointLayouts.HasModel(step.Folder) && FindGap(step) is null).Select(step => step.Number);

    private void LogUnfinished(Action<string>? log)
    {
        foreach (var unfinished in StepsIn(_folder).Where(name => NumberOf(name) is null))
        {
            log?.Invoke($"'{_folder.PathOf(unfinished)}' is skipped: it is not finished.");
        }
    }

    private static bool HasModel(ICheckpointFolder step, Action<string>? log)
    {
        var hasModel = CheckpointLayouts.HasModel(step);

        if (!hasModel)
        {
            log?.Invoke($"'{step.Path}' is skipped: it contains no model.");
        }

        return hasModel;
    }

    private static string PassedOver(ICheckpointFolder step, string gap) => $"'{step.Path}' is skipped: it is not finished, or files are missing: {gap}.";

    private CheckpointException NotFound(string what, IEnumerable<string> gaps)
    {
        var finished = FindFinished().Order().ToArray();

        return new CheckpointException(
            CheckpointErrorCode.CheckpointNotFound,
            $"'{_folder.Path}' has {what}{(finished.Length == 0 ? "" : $". Finished steps: {string.Join(", ", finished)}")}.{string.Concat(gaps.Select(gap => " " + gap))}",
            _folder.Path);
    }

    /// <summary>A step with a score has been validated, which fairseq2 does after it has saved the step; then files have been lost, which is an error.</summary>
    private string? FindGap((long Number, ICheckpointFolder Folder) step) =>
        _folder.Folder("scores").HasFile($"{step.Folder.Name}.txt") ? null : StepFiles.FindGap(step.Folder);

    /// <summary>Finished or not.</summary>
    private static IEnumerable<string> StepsIn(ICheckpointFolder folder) =>
        folder.FolderNames.Where(name => name.StartsWith(StepPrefix, StringComparison.Ordinal));

    [GeneratedRegex(@"^step_(0|[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex StepPattern();
}
