using System.Globalization;
using System.Management.Automation.Runspaces;

namespace ScriptHost;

/// <summary>Turns the words after the script's name into parameters, the way pwsh -File does.</summary>
internal static class ScriptArguments
{
    public static IReadOnlyList<CommandParameter> Parse(ReadOnlySpan<string> words)
    {
        List<CommandParameter> parameters = [];
        string? awaitingValue = null;

        for (int i = 0; i < words.Length; i++)
        {
            string word = words[i];
            if (awaitingValue is not null)
            {
                parameters.Add(new CommandParameter(awaitingValue, ValueOf(word)));
                awaitingValue = null;
            }
            else if (word == "--")
            {
                // As in the language. (pwsh -File passes it on, and an advanced script then fails on a nameless parameter.)
                foreach (string value in words[(i + 1)..])
                    parameters.Add(new CommandParameter(null, value));
                break;
            }
            else if (!IsParameter(word))
            {
                parameters.Add(new CommandParameter(null, word));
            }
            else if (word.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon)
            {
                string name = word[..colon];
                if (colon + 1 < word.Length)
                    parameters.Add(new CommandParameter(name, ValueOf(word[(colon + 1)..])));
                else
                    awaitingValue = name;
            }
            else
            {
                // Whether the next word is this one's value only the script's parameters can say. The engine decides
                // that when it binds, if the name still has its dash.
                parameters.Add(new CommandParameter(word));
            }
        }

        if (awaitingValue is not null)
            parameters.Add(new CommandParameter(awaitingValue));

        return parameters;
    }

    private static bool IsParameter(string word) =>
        word.Length > 1
        && word[0] == '-'
        && !double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    // The one way to turn a switch off from outside, so these two are not strings.
    private static object ValueOf(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" => true,
        "$FALSE" => false,
        _ => text,
    };
}
