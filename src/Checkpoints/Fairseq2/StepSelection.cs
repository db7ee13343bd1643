using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>
/// Steps of a training run that are asked for by numbers and wildcards: <c>500</c>, <c>5*</c>. A <c>*</c> stands for any digits or none, a
/// <c>?</c> for one, and <c>[135]</c> or <c>[1-5]</c> for one of several.
/// </summary>
public sealed partial class StepSelection
{
    private readonly ImmutableArray<Pattern> _patterns;

    /// <summary>Selects steps.</summary>
    /// <param name="patterns">Numbers and wildcards.</param>
    /// <exception cref="FormatException">One of them is neither.</exception>
    public StepSelection(params IEnumerable<string> patterns) =>
        _patterns = [.. patterns.Select(text => Pattern.Parse(text) ?? throw new FormatException($"'{text}' is neither a step number nor a wildcard."))];

    /// <summary>All steps.</summary>
    public static StepSelection All { get; } = new("*");

    /// <summary>Whether a text is a step's number, or a wildcard for such.</summary>
    public static bool IsValid(string text) => Pattern.Parse(text) is not null;

    /// <summary>Finds those that a training run has finished.</summary>
    /// <param name="address">The address of a run, or of its folder of steps.</param>
    /// <param name="reportError">Told of each number that the run has not finished, and of each wildcard that matches no finished step.</param>
    /// <param name="log">Told which steps are skipped.</param>
    /// <param name="warn">Told which are skipped though their names say that they are finished: files may as well have been lost.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Their numbers, in ascending order, each once.</returns>
    /// <exception cref="CheckpointException">There is no training run, or it can't be read.</exception>
    public ImmutableArray<long> FindIn(
        CheckpointAddress address,
        Action<CheckpointException> reportError,
        Action<string>? log = null,
        Action<string>? warn = null,
        CancellationToken cancellationToken = default) =>
        FindIn(CheckpointFolders.At(address, cancellationToken), reportError, log, warn);

    /// <summary>As for an address, wherever it is.</summary>
    internal ImmutableArray<long> FindIn(
        ICheckpointFolder place, Action<CheckpointException> reportError, Action<string>? log = null, Action<string>? warn = null)
    {
        var run = CheckpointLocation.FindRun(place);
        var found = new SortedSet<long>();

        foreach (var pattern in _patterns)
        {
            try
            {
                found.UnionWith(CheckpointFolder.Look(place, () => pattern.FindIn(run, log, warn)));
            }
            catch (CheckpointException e)
            {
                reportError(e);
            }
        }

        return [.. found];
    }

    private sealed partial record Pattern(string Text, long? Number, Regex? Wildcard)
    {
        public static Pattern? Parse(string text)
        {
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return new Pattern(text, number, null);
            }

            if (!WildcardSyntax().IsMatch(text))
            {
                return null;
            }

            try
            {
                // Sets are the same in both.
                var expression = text.Replace("*", "[0-9]*", StringComparison.Ordinal).Replace("?", "[0-9]", StringComparison.Ordinal);
                return new Pattern(text, null, new Regex($@"^{expression}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
            }
            catch (ArgumentException)
            {
                // [5-1]
                return null;
            }
        }

        public IEnumerable<long> FindIn(TrainingRun run, Action<string>? log, Action<string>? warn)
        {
            if (Wildcard is not null)
            {
                return run.FindMatching(Text, number => Wildcard.IsMatch(number.ToString(CultureInfo.InvariantCulture)), log, warn);
            }

            _ = run.FindStep(Number, log, warn ?? (_ => { }));
            return [Number!.Value];
        }

        [GeneratedRegex(@"^(?=.*[*?\[])(?:[0-9*?]|\[(?:[0-9](?:-[0-9])?)+\])+\z", RegexOptions.CultureInvariant)]
        private static partial Regex WildcardSyntax();
    }
}
