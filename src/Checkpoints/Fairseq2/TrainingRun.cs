using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// A folder with the steps of a training run, as every version of fairseq2 keeps them: <c>step_500</c>, <c>step_1000</c>, …, and
/// <c>step_1500.tmp</c> for one that is being written. It is called <c>checkpoints</c> and lies in the folder of the run. Of a step that is
/// written under its final name, <see cref="StepFiles"/> tell whether it is finished.
/// </summary>
internal sealed partial class TrainingRun
{
    private const string FolderName = "checkpoints";

    private readonly string _folder;
    private readonly IReadOnlyList<(long Number, string Path)> _steps;

    private TrainingRun(string folder)
    {
        _folder = folder;
        _steps =
        [
            .. from path in Directory.EnumerateDirectories(folder)
               let number = NumberOf(path)
               where number is not null
               orderby number descending
               select (number.Value, path),
        ];
    }

    /// <summary>The name of the run, not that of its folder of steps.</summary>
    public string Name => Path.GetFileName(Path.GetFileName(_folder) == FolderName ? Path.GetDirectoryName(_folder)! : _folder);

    /// <param name="path">The absolute path of a run or of its folder of steps.</param>
    /// <returns>Null when it is neither.</returns>
    public static TrainingRun? Find(string path)
    {
        var run = new[] { Path.Combine(path, FolderName), path }.FirstOrDefault(
            folder => Directory.Exists(folder) && Directory.EnumerateDirectories(folder, "step_*").Any());

        return run is null ? null : new TrainingRun(run);
    }

    /// <summary>The number of a step by the name of its folder; null when it is not one, or is not finished.</summary>
    public static long? NumberOf(string path) =>
        StepPattern().Match(Path.GetFileName(path)) is { Success: true } match
        && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The folder of a step: the one of that number, else the newest that is finished.</summary>
    /// <param name="number">Which step, or null.</param>
    /// <param name="log">Told which are passed over.</param>
    /// <param name="warn">Told which are passed over though their names say that they are finished: files may as well have been lost.</param>
    /// <exception cref="CheckpointException">There is none, or the one of that number lacks files.</exception>
    public string FindStep(long? number, Action<string>? log, Action<string> warn)
    {
        foreach (var unfinished in Directory.EnumerateDirectories(_folder, "step_*").Where(path => NumberOf(path) is null))
        {
            log?.Invoke($"'{unfinished}' is passed over: it is not finished.");
        }

        var gaps = new List<string>();

        foreach (var step in _steps.Where(step => number is null || step.Number == number))
        {
            if (!CheckpointLayouts.HasModel(step.Path))
            {
                log?.Invoke($"'{step.Path}' is passed over: there is no model in it.");
            }
            else if (FindGap(step) is not { } gap)
            {
                gaps.ForEach(warn);
                return step.Path;
            }
            else if (number is not null)
            {
                throw new CheckpointException(
                    CheckpointErrorCode.MissingShard,
                    $"'{step.Path}' is not finished, or has lost files: {gap}. Wait until it is saved, or copy what is missing from where the model was trained.",
                    step.Path);
            }
            else
            {
                gaps.Add($"'{step.Path}' is passed over: it is not finished, or has lost files; {gap}.");
            }
        }

        var finished = FindFinished().ToArray();

        throw new CheckpointException(
            CheckpointErrorCode.CheckpointNotFound,
            $"'{_folder}' has {(number is null ? "no finished step" : $"no finished step {number}")}"
            + $"{(finished.Length == 0 ? "" : $"; it has {string.Join(", ", finished)}")}.{string.Concat(gaps.Select(gap => " " + gap))}",
            _folder);
    }

    /// <summary>The numbers of the steps that are finished, the newest first.</summary>
    public IEnumerable<long> FindFinished() =>
        _steps.Where(step => CheckpointLayouts.HasModel(step.Path) && FindGap(step) is null).Select(step => step.Number);

    /// <summary>A step with a score has been validated, which fairseq2 does after it has saved the step; then files have been lost, which is an error.</summary>
    private string? FindGap((long Number, string Path) step) =>
        File.Exists(Path.Combine(_folder, "scores", $"{Path.GetFileName(step.Path)}.txt")) ? null : StepFiles.FindGap(step.Path);

    [GeneratedRegex(@"^step_(0|[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex StepPattern();
}
