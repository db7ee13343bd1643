using System.Diagnostics;
using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Shows how far long work is, in bytes and bytes per second, with the time that is left. Reports come far more often than anyone can read.
/// </summary>
internal sealed class ProgressBar(Cmdlet cmdlet, string activity) : IProgress<ByteProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly string _activity = Display.Text(activity);
    private readonly Stopwatch _time = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.Zero;
    private bool _isShown;

    public void Report(ByteProgress value)
    {
        if (_time.Elapsed < _next)
        {
            return;
        }

        _next = _time.Elapsed + Interval;
        _isShown = true;

        var done = value.BytesTotal == 0 ? 1.0 : (double)value.BytesDone / value.BytesTotal;
        var size = $"{Display.Size(value.BytesDone)} of {Display.Size(value.BytesTotal)}";
        var record = new ProgressRecord(activityId: 0, _activity, Display.Text($"{value.File}: {size}, {Display.Rate(value.BytesDone, _time.Elapsed)}"))
        {
            PercentComplete = (int)(done * 100),
            SecondsRemaining = done > 0 ? (int)Math.Ceiling(_time.Elapsed.TotalSeconds / done * (1 - done)) : -1,
        };

        cmdlet.WriteProgress(record);
    }

    /// <summary>Takes it away. Not after Ctrl+C, when the pipeline takes no more.</summary>
    public void Dispose()
    {
        if (_isShown && !cmdlet.Stopping)
        {
            cmdlet.WriteProgress(new ProgressRecord(activityId: 0, _activity, "done") { RecordType = ProgressRecordType.Completed });
        }
    }
}
