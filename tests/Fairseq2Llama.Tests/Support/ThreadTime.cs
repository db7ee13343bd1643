using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Fairseq2Llama.Tests.Support;

/// <summary>How long processors have worked for this thread: unlike a clock it does not care what else the machine is doing.</summary>
internal static partial class ThreadTime
{
    // CLOCK_THREAD_CPUTIME_ID of <time.h>.
    private static readonly int Clock = OperatingSystem.IsMacOS() ? 16 : 3;

    /// <summary>On Windows only a clock's time.</summary>
    public static TimeSpan Now
    {
        get
        {
            if (OperatingSystem.IsWindows())
            {
                return Stopwatch.GetElapsedTime(0);
            }

            Assert.Equal(0, GetTime(Clock, out var time));
            return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
