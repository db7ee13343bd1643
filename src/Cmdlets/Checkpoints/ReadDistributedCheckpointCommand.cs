using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA that PyTorch's Distributed Checkpoint saved: .metadata and *.distcp. Tensor data stays where it is.</summary>
[Cmdlet(VerbsCommunications.Read, "DistributedCheckpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(DistributedCheckpoint))]
public sealed class ReadDistributedCheckpointCommand : ReadCommand
{
    private CheckpointReadOptions _options = new();

    /// <summary>The architecture, by name or as an object. Exports of the checkpoint use it. The checkpoint does not record its own.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? Architecture { get; set; }

    /// <summary>The params.json or config.json that describes the model, or the folder that it is in. By default, it is looked for around the checkpoint.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ConfigPath { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _options = MakeReadOptions(Architecture, ConfigPath);
    }

    private protected override LlamaCheckpoint Read(CheckpointAddress address) =>
        DistributedCheckpoint.Read(address, _options with { Log = WriteVerbose }, Stop);
}
