using System.Diagnostics;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Shows how far an export is, in bytes, with the time that is left. Reports come far more often than anyone can read.</summary>
internal sealed class ExportProgress(Cmdlet cmdlet, string activity) : IProgress<ConversionProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Stopwatch _time = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.Zero;
    private bool _isShown;

    public void Report(ConversionProgress value)
    {
        if (_time.Elapsed < _next)
        {
            return;
        }

        _next = _time.Elapsed + Interval;
        _isShown = true;

        var done = value.BytesTotal == 0 ? 1.0 : (double)value.BytesWritten / value.BytesTotal;
        var record = new ProgressRecord(
            activityId: 0, activity, $"{value.File}: {Display.Size(value.BytesWritten)} of {Display.Size(value.BytesTotal)}")
        {
            PercentComplete = (int)(done * 100),
            SecondsRemaining = done > 0 ? (int)Math.Ceiling(_time.Elapsed.TotalSeconds / done * (1 - done)) : -1,
        };

        cmdlet.WriteProgress(record);
    }

    public void Complete()
    {
        if (_isShown)
        {
            cmdlet.WriteProgress(new ProgressRecord(activityId: 0, activity, "done") { RecordType = ProgressRecordType.Completed });
        }
    }
}
