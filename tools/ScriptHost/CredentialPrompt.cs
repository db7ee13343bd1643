using System.Management.Automation;

namespace ScriptHost;

/// <summary>Asks for a user name, unless it is known, and a password.</summary>
internal sealed class CredentialPrompt(ConsoleHostUI ui)
{
    public PSCredential Ask(string? caption, string? message, string? userName)
    {
        ui.AskHeading(caption, message);
        FieldPrompt fields = new(ui);
        string user = string.IsNullOrEmpty(userName) ? fields.AskForText("User") : userName;
        return new PSCredential(user, fields.AskForSecret($"Password for user {user}"));
    }
}
