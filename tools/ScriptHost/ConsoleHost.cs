using System.Globalization;
using System.Management.Automation.Host;
using System.Reflection;

namespace ScriptHost;

/// <summary>The host the engine talks to: one script, one console, no nested prompts and no remoting.</summary>
internal sealed class ConsoleHost(CancellationToken interrupted) : PSHost
{
    public ConsoleHostUI ConsoleUI { get; } = new(new ConsoleInput(interrupted));

    /// <summary>The code the script asked to exit with, if it did.</summary>
    public int? ExitCode { get; private set; }

    public override CultureInfo CurrentCulture { get; } = CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture { get; } = CultureInfo.CurrentUICulture;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => nameof(ScriptHost);

    public override PSHostUserInterface UI => ConsoleUI;

    public override Version Version { get; } = Assembly.GetExecutingAssembly().GetName().Version ?? new Version(0, 0);

    public override void EnterNestedPrompt() => throw new NotSupportedException("This host has no nested prompts.");

    public override void ExitNestedPrompt() => throw new NotSupportedException("This host has no nested prompts.");

    // A native program is about to write to the same terminal.
    public override void NotifyBeginApplication() => ConsoleUI.ClearProgress();

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;
}
