using System.Globalization;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Fuzzing;

/// <summary>
/// Gives a number of made-up inputs to a reader, and demands of each that it is read or refused with a documented error, soon, and
/// without more memory than SECURITY.md allows. FAIRSEQ2LLAMA_FUZZ_TIMES makes it so many times as many, FAIRSEQ2LLAMA_FUZZ_SEED begin elsewhere.
/// </summary>
internal static class Fuzzer
{
    /// <summary>MiB that may be allocated in all for an input, beside <see cref="BytesPerByte"/> for each byte of its own.</summary>
    public const int FixedMebibytes = 64;

    public const int BytesPerByte = 256;

    /// <summary>Of a processor's time, so that it does not matter what else the machine is doing.</summary>
    public const int MaxSeconds = 5;

    /// <summary>An expanded tensor may say truthfully that it has terabytes; only time would be lost on reading those.</summary>
    public const long MaxTensorSize = 1 << 20;

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);
    private static readonly int Times = Setting("FAIRSEQ2LLAMA_FUZZ_TIMES", 1);
    private static readonly int FirstSeed = Setting("FAIRSEQ2LLAMA_FUZZ_SEED", 1);

    /// <param name="inputs">How many inputs: as many as take about a second.</param>
    /// <param name="make">Makes an input; the same for the same random numbers.</param>
    /// <param name="read">Reads it.</param>
    /// <param name="canRefuse">Whether there is anything that the reader does not take.</param>
    public static void Run(int inputs, Func<Random, byte[]> make, Action<byte[]> read, bool canRefuse = true)
    {
        var (accepted, refused) = (0, 0);

        for (var seed = FirstSeed; seed - (long)FirstSeed < (long)inputs * Times; seed++)
        {
            var input = make(new Random(seed));

            // On a thread of its own, because one that hangs can't be ended.
            var reading = Task.Run(() => Try(read, input));

            if (!reading.Wait(Hang))
            {
                Fail(seed, input, $"it is still being read after {Hang.TotalMinutes} minutes");
            }

            var (error, allocated, time) = reading.Result;

            if (time > TimeSpan.FromSeconds(MaxSeconds))
            {
                Fail(seed, input, $"it takes {time.TotalSeconds} s to read {input.Length} bytes");
            }

            if (allocated > ((long)FixedMebibytes << 20) + ((long)BytesPerByte * input.Length))
            {
                Fail(seed, input, $"it takes {allocated} bytes to read {input.Length}");
            }

            if (error is not (null or CheckpointException))
            {
                Fail(seed, input, error.ToString());
            }

            _ = error is null ? accepted++ : refused++;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{accepted} read, {refused} refused");

        // Else nothing would be shown: neither by noise that is refused at its first byte, nor by changes that change nothing.
        Assert.True(accepted > 0 && refused > 0 == canRefuse, $"{accepted} read, {refused} refused");
    }

    private static (Exception? Error, long Allocated, TimeSpan Time) Try(Action<byte[]> read, byte[] input)
    {
        var (before, start) = (GC.GetAllocatedBytesForCurrentThread(), ThreadTime.Now);
        Exception? error = null;

        try
        {
            read(input);
        }
        catch (Exception e)
        {
            error = e;
        }

        return (error, GC.GetAllocatedBytesForCurrentThread() - before, ThreadTime.Now - start);
    }

    private static void Fail(int seed, byte[] input, string what)
    {
        var path = Path.Combine(Path.GetTempPath(), $"fairseq2llama-fuzz-{TestContext.Current.TestMethod?.MethodName}-{seed}");
        File.WriteAllBytes(path, input);
        Assert.Fail($"The input of seed {seed}, saved as '{path}', is neither read nor refused: {what}");
    }

    private static int Setting(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : usual;
}
