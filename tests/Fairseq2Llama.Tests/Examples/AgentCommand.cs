using System.Text.RegularExpressions;

namespace Fairseq2Llama.Tests.Examples;

/// <summary>A logging command as the agent of Azure Pipelines takes it from a line of output.</summary>
/// <param name="Head">Area, action and properties, each property unescaped, with a blank after each semicolon between them.</param>
/// <param name="Message">What follows, unescaped.</param>
internal sealed partial record AgentCommand(string Head, string Message)
{
    /// <summary>The first <c>##vso[</c> anywhere in the line counts, and the first bracket after it.</summary>
    public static AgentCommand Parse(string line)
    {
        var match = Pattern().Match(line);
        Assert.True(match.Success, $"no command: {line}");
        return new AgentCommand(
            string.Join("; ", match.Groups[1].Value.Split(';').Select(Unescape)),
            Unescape(match.Groups[2].Value));
    }

    /// <summary>The percent sign last, as the agent does.</summary>
    private static string Unescape(string text) => text
        .Replace("%3B", ";", StringComparison.Ordinal)
        .Replace("%0D", "\r", StringComparison.Ordinal)
        .Replace("%0A", "\n", StringComparison.Ordinal)
        .Replace("%5D", "]", StringComparison.Ordinal)
        .Replace("%AZP25", "%", StringComparison.Ordinal);

    [GeneratedRegex(@"^.*?##vso\[([^\]]*)\](.*)$", RegexOptions.Singleline)]
    private static partial Regex Pattern();
}
