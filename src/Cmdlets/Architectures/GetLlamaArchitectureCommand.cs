using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Gets LLaMA architectures that fairseq2 knows.</summary>
[Cmdlet(VerbsCommon.Get, "LlamaArchitecture")]
[OutputType(typeof(LlamaArchitecture))]
public sealed class GetLlamaArchitectureCommand : CheckpointCmdlet
{
    /// <summary>Names or wildcards, of architectures or of fairseq2 assets that have them.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            PerItem(() => WriteObject(Find(name), enumerateCollection: true));
        }
    }

    private static IEnumerable<LlamaArchitecture> Find(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            return [LlamaArchitectures.Find(name)];
        }

        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        return LlamaArchitectures.All.Where(architecture => architecture.AssetNames.Prepend(architecture.Name).Any(pattern.IsMatch));
    }
}
