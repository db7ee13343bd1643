using System.Management.Automation.Runspaces;

namespace ScriptHost;

/// <summary>What the command line asks for: either a script file with its arguments, or command text.</summary>
internal sealed record CommandLine(string? ScriptPath, IReadOnlyList<CommandParameter> Arguments, string? CommandText)
{
    public const string Usage = """
        Usage: ScriptHost [-File] <script.ps1> [arguments]
               ScriptHost -Command <text>

        Arguments are positional values, -Name value, -Name:value or -Switch; after -- all are positional values.
        """;

    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        if (args.IsEmpty)
            throw new UsageException("No script was given.");

        if (IsOption(args[0], "Command"))
        {
            // Like pwsh: a shell may have split the text, so whatever follows belongs to it.
            string text = string.Join(' ', args[1..].ToArray());
            return string.IsNullOrWhiteSpace(text)
                ? throw new UsageException("-Command needs the text of a command.")
                : new CommandLine(null, [], text);
        }

        if (IsOption(args[0], "File"))
            args = args[1..];

        if (args.IsEmpty)
            throw new UsageException("-File needs the path of a script.");

        return new CommandLine(CheckedPath(args[0]), ScriptArguments.Parse(args[1..]), null);
    }

    private static bool IsOption(string arg, string name) =>
        arg.Length > 1 && arg[0] == '-' && name.StartsWith(arg[1..], StringComparison.OrdinalIgnoreCase);

    private static string CheckedPath(string path)
    {
        if (path.Length == 0)
            throw new UsageException("The path of the script is empty.");

        string fullPath = Path.GetFullPath(path);
        if (!File.Exists(fullPath))
            throw new UsageException($"The script '{path}' does not exist.");

        // The engine would hand any other file to the operating system to open.
        if (!Path.GetExtension(fullPath).Equals(".ps1", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"The script '{path}' does not have the extension .ps1.");

        return fullPath;
    }
}
