using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace ScriptHost;

/// <summary>Asks for the values of mandatory parameters that were not given.</summary>
internal sealed class FieldPrompt(ConsoleHostUI ui)
{
    public Dictionary<string, PSObject> Ask(string caption, string message, Collection<FieldDescription> fields)
    {
        ui.AskHeading(caption, message);
        Dictionary<string, PSObject> answers = [];
        foreach (FieldDescription field in fields)
            answers[field.Name] = PSObject.AsPSObject(AskFor(field));
        return answers;
    }

    private object AskFor(FieldDescription field)
    {
        string label = string.IsNullOrEmpty(field.Label) ? field.Name : field.Label.Replace("&", "", StringComparison.Ordinal);
        if (field.ParameterTypeFullName == typeof(SecureString).FullName)
            return AskForSecret(label);
        if (field.ParameterTypeFullName == typeof(PSCredential).FullName)
            return new CredentialPrompt(ui).Ask(null, null, null);
        return field.ParameterTypeFullName.EndsWith("[]", StringComparison.Ordinal) ? AskForList(label) : AskForText(label);
    }

    // The engine converts the text to the parameter's type when it binds it.
    public string AskForText(string label)
    {
        ui.Ask(label + ": ");
        return ui.Answer(ui.ReadLine) ?? throw EndedAt(label);
    }

    public SecureString AskForSecret(string label)
    {
        ui.Ask(label + ": ");
        return ui.Answer(ui.ReadLineAsSecureString) ?? throw EndedAt(label);
    }

    private string[] AskForList(string label)
    {
        List<string> items = [];
        while (true)
        {
            string item = AskForText(string.Create(CultureInfo.InvariantCulture, $"{label}[{items.Count}]"));
            if (item.Length == 0)
                return [.. items];
            items.Add(item);
        }
    }

    private static HostException EndedAt(string label) => new($"Standard input ended before a value for {label} was given.");
}
