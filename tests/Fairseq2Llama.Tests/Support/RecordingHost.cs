using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;
using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A host that remembers what it was asked to show, and answers every question in the same way.</summary>
internal sealed class RecordingHost : PSHost
{
    private readonly RecordingUI _ui = new();

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => nameof(RecordingHost);

    public override PSHostUserInterface UI => _ui;

    public override Version Version { get; } = new(1, 0);

    /// <summary>The label of the choice to take where the engine asks, as <c>Yes</c> or <c>No</c>.</summary>
    public string Answer
    {
        set => _ui.Answer = value;
    }

    /// <summary>The columns of its window, at first so many that every table is shown in full.</summary>
    public int Width
    {
        set => _ui.RawUI.BufferSize = new Size(value, 50);
    }

    /// <summary>The questions it was asked.</summary>
    public IReadOnlyList<string> Questions => _ui.Questions;

    /// <summary>Takes what was shown since the last call, without colors, blank lines and trailing spaces.</summary>
    public IReadOnlyList<string> TakeLines()
    {
        var text = new StringDecorated(TakeText()).ToString(OutputRendering.PlainText);
        var lines = text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).ToArray();
        return lines;
    }

    /// <summary>Takes what was shown since the last call, with its colors.</summary>
    public string TakeText()
    {
        var text = _ui.Text.ToString();
        _ui.Text.Clear();
        return text;
    }

    /// <summary>Forgets what it was shown, asked and told.</summary>
    public void Reset() => _ui.Reset();

    public override void EnterNestedPrompt() => throw new NotSupportedException();

    public override void ExitNestedPrompt() => throw new NotSupportedException();

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode)
    {
    }

    private sealed class RecordingUI : PSHostUserInterface
    {
        public StringBuilder Text { get; } = new();

        public List<string> Questions { get; } = [];

        public string? Answer { get; set; }

        public override PSHostRawUserInterface RawUI { get; } = new RecordingRawUI();

        /// <summary>The engine holds on to the one that it was given.</summary>
        public void Reset()
        {
            Text.Clear();
            Questions.Clear();
            Answer = null;
            RawUI.BufferSize = RecordingRawUI.Wide;
        }

        public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
        {
            Questions.Add(message);

            var answer = choices.ToList().FindIndex(choice => choice.Label.Replace("&", "", StringComparison.Ordinal) == Answer);
            return answer >= 0 ? answer : throw new NotSupportedException($"'{Answer}' is no answer to '{message}'");
        }

        public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
        {
            Questions.Add(message);
            throw new NotSupportedException($"asked for {string.Join(", ", descriptions.Select(field => field.Name))}");
        }

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
            throw new NotSupportedException();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options) => throw new NotSupportedException();

        public override string ReadLine() => throw new NotSupportedException();

        public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

        public override void Write(string value) => Text.Append(value);

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

        public override void WriteLine(string value) => Text.Append(value).Append('\n');

        public override void WriteErrorLine(string value) => WriteLine(value);

        public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

        // These come by the streams of the pipeline, too, where tests look for them.
        public override void WriteDebugLine(string message)
        {
        }

        public override void WriteVerboseLine(string message)
        {
        }

        public override void WriteProgress(long sourceId, ProgressRecord record)
        {
        }
    }

    /// <summary>A console that is wide enough for every table to be shown in full.</summary>
    private sealed class RecordingRawUI : PSHostRawUserInterface
    {
        public static Size Wide { get; } = new(400, 50);

        public override ConsoleColor BackgroundColor { get; set; }

        public override Size BufferSize { get; set; } = Wide;

        public override Coordinates CursorPosition { get; set; }

        public override int CursorSize { get; set; }

        public override ConsoleColor ForegroundColor { get; set; }

        public override bool KeyAvailable => false;

        public override Size MaxPhysicalWindowSize => BufferSize;

        public override Size MaxWindowSize => BufferSize;

        public override Coordinates WindowPosition { get; set; }

        public override Size WindowSize { get; set; } = Wide;

        public override string WindowTitle { get; set; } = "";

        public override void FlushInputBuffer()
        {
        }

        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw new NotSupportedException();

        public override KeyInfo ReadKey(ReadKeyOptions options) => throw new NotSupportedException();

        public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) =>
            throw new NotSupportedException();

        public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw new NotSupportedException();

        public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw new NotSupportedException();
    }
}
