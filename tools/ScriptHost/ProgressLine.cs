using System.Diagnostics;
using System.Management.Automation;

namespace ScriptHost;

/// <summary>Progress as one line of the terminal behind standard error, rewritten in place; nothing where that is redirected.</summary>
internal sealed class ProgressLine
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private int _activity;
    private int _shownLength;
    private long _shownAt;

    public void Show(ProgressRecord record)
    {
        if (Console.IsErrorRedirected)
            return;

        if (record.RecordType == ProgressRecordType.Completed)
        {
            if (record.ActivityId == _activity)
                Clear();
            return;
        }

        // A script may report far more often than anyone can read, and each write costs time.
        if (_shownLength > 0 && record.ActivityId == _activity && Stopwatch.GetElapsedTime(_shownAt) < Pause)
            return;

        string text = Fit(Describe(record));
        Clear();
        Console.Error.Write(text + "\r");
        _activity = record.ActivityId;
        _shownLength = CellWidth.Of(text);
        _shownAt = Stopwatch.GetTimestamp();
    }

    /// <summary>Takes the line away, so that other text can have its place.</summary>
    public void Clear()
    {
        if (_shownLength == 0)
            return;

        Console.Error.Write("\r" + new string(' ', _shownLength) + "\r");
        _shownLength = 0;
    }

    private static string Describe(ProgressRecord record)
    {
        string percent = record.PercentComplete >= 0 ? $" {record.PercentComplete}%" : "";
        string remaining = record.SecondsRemaining >= 0 ? $" ({TimeSpan.FromSeconds(record.SecondsRemaining)} left)" : "";
        string operation = string.IsNullOrEmpty(record.CurrentOperation) ? "" : $" {record.CurrentOperation}";
        return $"{record.Activity}: {record.StatusDescription}{percent}{remaining}{operation}";
    }

    // Text as wide as the terminal would wrap, and \r cannot go back up to the line before.
    private static string Fit(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        int width = Terminal.Width - 1;
        while (CellWidth.Of(line) > width)
            line = line[..^1];
        return line;
    }
}
