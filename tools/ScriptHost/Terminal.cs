namespace ScriptHost;

/// <summary>What may be done with the standard streams; every answer holds without a terminal too.</summary>
internal static class Terminal
{
    private const int WidthWithoutTerminal = 120;
    private const int HeightWithoutTerminal = 50;

    public static bool OutputHasColor { get; } = ColorWanted && !Console.IsOutputRedirected;

    public static bool ErrorHasColor { get; } = ColorWanted && !Console.IsErrorRedirected;

    public static int Width => Measure(() => Console.WindowWidth, WidthWithoutTerminal);

    public static int Height => Measure(() => Console.WindowHeight, HeightWithoutTerminal);

    private static bool ColorWanted =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb"
        // An older Windows console shows escape sequences as they are.
        && (!OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable("WT_SESSION") is not null);

    /// <summary>Asks the console for something a missing or odd terminal may not be able to answer.</summary>
    public static T Ask<T>(Func<T> question, T otherwise)
    {
        try
        {
            return question();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or NotSupportedException)
        {
            return otherwise;
        }
    }

    // A terminal that does not know its size says 0.
    private static int Measure(Func<int> question, int otherwise) =>
        !Console.IsOutputRedirected && Ask(question, 0) is > 0 and int size ? size : otherwise;
}
