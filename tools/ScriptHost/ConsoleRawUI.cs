using System.Management.Automation.Host;

namespace ScriptHost;

/// <summary>The screen as the engine sees it. Nothing here needs a terminal; without one the answers are plausible constants.</summary>
internal sealed class ConsoleRawUI : PSHostRawUserInterface
{
    private string _title = "";

    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public override Size BufferSize
    {
        get => new(Terminal.Width, Terminal.Height);
        set { }
    }

    // Asking a Unix terminal means writing to it and waiting for the reply among the keys, so this does not.
    public override Coordinates CursorPosition { get; set; }

    public override int CursorSize { get; set; } = 25;

    public override bool KeyAvailable => !Console.IsInputRedirected && Terminal.Ask(() => Console.KeyAvailable, false);

    public override Size MaxPhysicalWindowSize => BufferSize;

    public override Size MaxWindowSize => BufferSize;

    public override Coordinates WindowPosition { get; set; }

    public override Size WindowSize
    {
        get => BufferSize;
        set { }
    }

    public override string WindowTitle
    {
        get => _title;
        set
        {
            _title = value ?? "";
            if (!Console.IsOutputRedirected)
                Terminal.Ask(() => Console.Title = _title, "");
        }
    }

    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        if (Console.IsInputRedirected)
            throw new HostException("A key cannot be read: standard input is not a terminal.");

        ConsoleKeyInfo key = Console.ReadKey(intercept: options.HasFlag(ReadKeyOptions.NoEcho));
        return new KeyInfo((int)key.Key, key.KeyChar, ControlKeysOf(key.Modifiers), keyDown: true);
    }

    public override void FlushInputBuffer()
    {
        while (KeyAvailable)
            Console.ReadKey(intercept: true);
    }

    public override BufferCell[,] GetBufferContents(Rectangle rectangle)
    {
        int height = Math.Max(0, rectangle.Bottom - rectangle.Top + 1);
        int width = Math.Max(0, rectangle.Right - rectangle.Left + 1);
        return NewBufferCellArray(width, height, new BufferCell(' ', ForegroundColor, BackgroundColor, BufferCellType.Complete));
    }

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill)
    {
    }

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents)
    {
    }

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
    {
        // The engine's idiom for clearing the screen; anything else needs a screen that can be addressed.
        if (rectangle is { Left: -1, Top: -1, Right: -1, Bottom: -1 } && !Console.IsOutputRedirected)
            Console.Clear();
    }

    public override int LengthInBufferCells(char source) => CellWidth.Of(source);

    public override int LengthInBufferCells(string source) => CellWidth.Of(source);

    public override int LengthInBufferCells(string source, int offset) => CellWidth.Of(source.AsSpan(offset));

    private static ControlKeyStates ControlKeysOf(ConsoleModifiers modifiers)
    {
        ControlKeyStates states = 0;
        if (modifiers.HasFlag(ConsoleModifiers.Shift))
            states |= ControlKeyStates.ShiftPressed;
        if (modifiers.HasFlag(ConsoleModifiers.Alt))
            states |= ControlKeyStates.LeftAltPressed;
        if (modifiers.HasFlag(ConsoleModifiers.Control))
            states |= ControlKeyStates.LeftCtrlPressed;
        return states;
    }
}
