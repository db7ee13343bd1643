using System.Management.Automation;
using System.Security;

namespace ScriptHost;

/// <summary>Reads standard input so that Ctrl+C ends the wait.</summary>
internal sealed class ConsoleInput(CancellationToken interrupted)
{
    private const int MillisecondsBetweenKeyChecks = 20;

    /// <summary>One line, or null at the end of the input.</summary>
    public string? ReadLine()
    {
        // A blocked read cannot be cancelled; it is left behind on a thread that does not keep the process alive.
        Task<string?> reading = Task.Run(Console.In.ReadLine);
        try
        {
            reading.Wait(interrupted);
        }
        catch (OperationCanceledException)
        {
            throw new PipelineStoppedException();
        }

        return reading.GetAwaiter().GetResult();
    }

    /// <summary>One line that is not shown while it is typed, or null at the end of the input.</summary>
    public SecureString? ReadSecretLine(Action<string> echo)
    {
        SecureString secret = new();
        if (Console.IsInputRedirected)
        {
            if (ReadLine() is not string line)
                return null;

            foreach (char c in line)
                secret.AppendChar(c);
            return secret;
        }

        while (NextKey() is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key != ConsoleKey.Backspace && !char.IsControl(key.KeyChar))
            {
                secret.AppendChar(key.KeyChar);
                echo("*");
            }
            else if (key.Key == ConsoleKey.Backspace && secret.Length > 0)
            {
                secret.RemoveAt(secret.Length - 1);
                echo("\b \b");
            }
        }

        echo(Environment.NewLine);
        return secret;
    }

    private ConsoleKeyInfo NextKey()
    {
        while (!Console.KeyAvailable)
        {
            if (interrupted.WaitHandle.WaitOne(MillisecondsBetweenKeyChecks))
                throw new PipelineStoppedException();
        }

        return Console.ReadKey(intercept: true);
    }
}
