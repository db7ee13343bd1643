using System.Collections.ObjectModel;
using System.Management.Automation.Host;

namespace ScriptHost;

/// <summary>Asks which of several choices to take, among them the confirmations the engine asks for.</summary>
internal sealed class ChoicePrompt(ConsoleHostUI ui)
{
    private const char HotKeyMark = '&';

    public int Ask(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        string question = Question(choices, defaultChoice);
        ui.AskHeading(caption, message);

        while (true)
        {
            ui.Ask(question);
            string? answer = ui.Answer(ui.ReadLine)?.Trim();
            if (answer is null)
                return AnswerAtEnd(caption, message, choices, defaultChoice);
            if (answer.Length == 0 && defaultChoice >= 0)
                return defaultChoice;

            if (answer == "?")
                ShowHelp(choices);
            else if (Find(choices, answer) is >= 0 and int chosen)
                return chosen;
        }
    }

    // The engine marks Yes as the default of its confirmations, but nobody to ask is nobody who said yes.
    private static int AnswerAtEnd(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        if (defaultChoice < 0 || Label(choices[defaultChoice]).StartsWith("Yes", StringComparison.OrdinalIgnoreCase))
        {
            string question = string.IsNullOrEmpty(message) ? caption : message;
            throw new HostException($"Standard input ended before this was answered: {question}");
        }

        return defaultChoice;
    }

    private static int Find(Collection<ChoiceDescription> choices, string answer)
    {
        for (int i = 0; i < choices.Count; i++)
        {
            if (answer.Equals(Key(choices[i]), StringComparison.OrdinalIgnoreCase)
                || answer.Equals(Label(choices[i]), StringComparison.OrdinalIgnoreCase))
                return i;
        }

        return -1;
    }

    private static string Question(Collection<ChoiceDescription> choices, int defaultChoice)
    {
        IEnumerable<string> parts = choices.Select(choice => $"[{Key(choice)}] {Label(choice)}");
        string byDefault = defaultChoice >= 0 ? $" (default is \"{Key(choices[defaultChoice])}\")" : "";
        return string.Join("  ", parts) + $"  [?] Help{byDefault}: ";
    }

    private void ShowHelp(Collection<ChoiceDescription> choices)
    {
        foreach (ChoiceDescription choice in choices)
            ui.AskHeading($"{Key(choice)} - {(string.IsNullOrEmpty(choice.HelpMessage) ? Label(choice) : choice.HelpMessage)}");
    }

    private static string Label(ChoiceDescription choice) => choice.Label.Replace(HotKeyMark.ToString(), "", StringComparison.Ordinal);

    private static string Key(ChoiceDescription choice)
    {
        int mark = choice.Label.IndexOf(HotKeyMark, StringComparison.Ordinal);
        return mark >= 0 && mark + 1 < choice.Label.Length
            ? char.ToUpperInvariant(choice.Label[mark + 1]).ToString()
            : Label(choice);
    }
}
