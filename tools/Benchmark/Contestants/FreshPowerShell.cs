namespace Fairseq2Llama.Benchmark.Contestants;

/// <summary>A script in a PowerShell process of its own, from the start of the process to the end.</summary>
/// <param name="name">What it does.</param>
/// <param name="workspace">Where the script lies while it runs.</param>
/// <param name="script">The script, given the destination.</param>
internal sealed class FreshPowerShell(string name, Workspace workspace, Func<string, string> script) : IContestant
{
    public string Name => name;

    public Sample Run(string destination)
    {
        var path = workspace.NewPath(".ps1");
        File.WriteAllText(path, script(destination));

        try
        {
            return ChildProcess.Measure(PowerShellProgram.CommandFor(path));
        }
        finally
        {
            Workspace.Remove(path);
        }
    }
}
