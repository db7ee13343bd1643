using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that can be told the architecture of a checkpoint.</summary>
public abstract class ArchitectureCmdlet : StoreCmdlet
{
    /// <summary>The architecture. By default, the one of the file beside the weights; otherwise the one that the shapes fit.</summary>
    [Parameter]
    [Alias("Model")]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? Architecture { get; set; }

    /// <summary>The architecture that was named, if one was.</summary>
    protected LlamaArchitecture? NamedArchitecture { get; private set; }

    private protected override LlamaArchitecture? ReadArchitecture => NamedArchitecture;

    /// <inheritdoc/>
    protected override void BeginProcessing() => NamedArchitecture = FromArgument(() => Architecture?.Get());
}
