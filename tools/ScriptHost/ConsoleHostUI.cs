using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace ScriptHost;

/// <summary>Output to standard output, everything about the run to standard error, questions to whichever is a terminal.</summary>
internal sealed class ConsoleHostUI : PSHostUserInterface
{
    private const string Red = "\e[31;1m";
    private const string Yellow = "\e[33;1m";
    private const string Reset = "\e[0m";

    private readonly ConsoleInput _input;
    private readonly ProgressLine _progress = new();
    private bool _outputIsError;

    public ConsoleHostUI(ConsoleInput input) => _input = input;

    public override PSHostRawUserInterface RawUI { get; } = new ConsoleRawUI();

    public override bool SupportsVirtualTerminal => Terminal.OutputHasColor;

    public void ClearProgress() => _progress.Clear();

    /// <summary>Has what is output meanwhile go the way of errors: Out-Default knows by itself only those it gets from a command.</summary>
    public void SendOutputToError(Action output)
    {
        _outputIsError = true;
        try
        {
            output();
        }
        finally
        {
            _outputIsError = false;
        }
    }

    public override void Write(string value)
    {
        if (_outputIsError)
        {
            WriteErrorLine(value?.TrimEnd('\r', '\n'));
            return;
        }

        ClearProgress();
        Console.Out.Write(GetOutputString(value ?? "", Terminal.OutputHasColor));
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
        if (!Terminal.OutputHasColor)
        {
            Write(value);
            return;
        }

        Console.ForegroundColor = foregroundColor;
        // What a caller passes who only wants to set the other one; painting it would show on any other background.
        if (backgroundColor != RawUI.BackgroundColor)
            Console.BackgroundColor = backgroundColor;
        Write(value);
        Console.ResetColor();
    }

    public override void WriteLine() => Write(Environment.NewLine);

    public override void WriteLine(string value) => Write(value + Environment.NewLine);

    public override void WriteErrorLine(string? value)
    {
        // The engine's view of an error ends in an empty line.
        if (!string.IsNullOrEmpty(value))
            WriteDiagnostic(value, Red);
    }

    public override void WriteWarningLine(string message) => WriteDiagnostic("WARNING: " + message, Yellow);

    public override void WriteVerboseLine(string message) => WriteDiagnostic("VERBOSE: " + message, Yellow);

    public override void WriteDebugLine(string message) => WriteDiagnostic("DEBUG: " + message, Yellow);

    public override void WriteProgress(long sourceId, ProgressRecord record) => _progress.Show(record);

    public override string? ReadLine() => _input.ReadLine();

    public override SecureString? ReadLineAsSecureString() => _input.ReadSecretLine(Ask);

    public override Dictionary<string, PSObject> Prompt(
        string caption,
        string message,
        Collection<FieldDescription> descriptions) =>
        new FieldPrompt(this).Ask(caption, message, descriptions);

    public override int PromptForChoice(
        string caption,
        string message,
        Collection<ChoiceDescription> choices,
        int defaultChoice) =>
        new ChoicePrompt(this).Ask(caption, message, choices, defaultChoice);

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        new CredentialPrompt(this).Ask(caption, message, userName);

    public override PSCredential PromptForCredential(
        string caption,
        string message,
        string userName,
        string targetName,
        PSCredentialTypes allowedCredentialTypes,
        PSCredentialUIOptions options) =>
        PromptForCredential(caption, message, userName, targetName);

    /// <summary>Writes part of a question, where the one who can answer sees it even if the output goes to a file.</summary>
    internal void Ask(string text)
    {
        ClearProgress();
        (Console.IsOutputRedirected ? Console.Error : Console.Out).Write(text);
    }

    /// <summary>Reads an answer to that, or null at the end of the input.</summary>
    internal T? Answer<T>(Func<T?> read)
        where T : class
    {
        T? answer = read();
        // Only a terminal has shown the Enter key.
        if (Console.IsInputRedirected)
            Ask(Environment.NewLine);
        return answer;
    }

    internal void AskHeading(params ReadOnlySpan<string?> lines)
    {
        foreach (string? line in lines)
        {
            if (!string.IsNullOrEmpty(line))
                Ask(line + Environment.NewLine);
        }
    }

    private void WriteDiagnostic(string text, string color)
    {
        ClearProgress();
        string line = Terminal.ErrorHasColor ? color + text + Reset : text;
        Console.Error.WriteLine(GetOutputString(line, Terminal.ErrorHasColor));
    }
}
