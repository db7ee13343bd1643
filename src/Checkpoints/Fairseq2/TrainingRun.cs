using System.Globalization;
using System.Text.RegularExpressions;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// A folder with the steps of a training run, as every version of fairseq2 keeps them: <c>step_500</c>, <c>step_1000</c>, …, and
/// <c>step_1500.tmp</c> for one that is being written. It is called <c>checkpoints</c> and lies in the folder of the run.
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
    /// <exception cref="CheckpointException">There is none.</exception>
    public string FindStep(long? number, Action<string>? log)
    {
        foreach (var unfinished in Directory.EnumerateDirectories(_folder, "step_*").Where(path => NumberOf(path) is null))
        {
            log?.Invoke($"'{unfinished}' is passed over: it is not finished.");
        }

        foreach (var step in _steps.Where(step => number is null || step.Number == number))
        {
            if (CheckpointLayouts.HasModel(step.Path))
            {
                return step.Path;
            }

            log?.Invoke($"'{step.Path}' is passed over: there is no model in it.");
        }

        var finished = FindFinished().ToArray();

        throw new CheckpointException(
            CheckpointErrorCode.CheckpointNotFound,
            $"'{_folder}' has {(number is null ? "no finished step" : $"no finished step {number}")}"
            + $"{(finished.Length == 0 ? "" : $"; it has {string.Join(", ", finished)}")}.",
            _folder);
    }

    /// <summary>The numbers of the steps that are finished, the newest first.</summary>
    public IEnumerable<long> FindFinished() => _steps.Where(step => CheckpointLayouts.HasModel(step.Path)).Select(step => step.Number);

    [GeneratedRegex(@"^step_(0|[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex StepPattern();
}
