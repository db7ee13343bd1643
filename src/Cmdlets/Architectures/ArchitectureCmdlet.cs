using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that can be told the architecture of a checkpoint.</summary>
public abstract class ArchitectureCmdlet : CheckpointCmdlet
{
    /// <summary>The architecture; what a file beside the weights says, else what the shapes leave possible when absent.</summary>
    [Parameter]
    [Alias("Model")]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? Architecture { get; set; }

    /// <summary>The architecture that was named, if one was.</summary>
    protected LlamaArchitecture? NamedArchitecture { get; private set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() => NamedArchitecture = FromArgument(() => Architecture?.Get());
}
