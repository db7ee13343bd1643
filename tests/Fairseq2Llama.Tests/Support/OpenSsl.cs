using System.Diagnostics;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Runs the command of OpenSSL. Where it is not installed such tests are skipped, except in CI, where it must be there.</summary>
internal static class OpenSsl
{
    /// <summary>Runs a command that must succeed.</summary>
    /// <returns>What it printed.</returns>
    public static string Run(params string[] arguments)
    {
        CategoryAttribute.Require();

        try
        {
            using var process = Process.Start(new ProcessStartInfo("openssl", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;

            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"openssl {string.Join(' ', arguments)}: {output}{error.GetAwaiter().GetResult()}");
            return output;
        }
        catch (System.ComponentModel.Win32Exception) when (Environment.GetEnvironmentVariable("CI") is null)
        {
            Assert.Skip("needs the command 'openssl'");
            throw;
        }
    }
}
