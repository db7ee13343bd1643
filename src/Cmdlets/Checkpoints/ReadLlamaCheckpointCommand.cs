using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Reads the index of a LLaMA checkpoint, whichever format it has. The weights stay where they are.</summary>
[Cmdlet(VerbsCommunications.Read, "LlamaCheckpoint", DefaultParameterSetName = "Path")]
[OutputType(typeof(Fairseq2Checkpoint), typeof(LlamaReferenceCheckpoint), typeof(LlamaHuggingFaceCheckpoint), typeof(DistributedCheckpoint), typeof(LlamaGgufCheckpoint))]
public sealed class ReadLlamaCheckpointCommand : ReadRunCommand
{
    private CheckpointReadOptions _options = new();

    /// <summary>The architecture, by name or as an object. Exports of the checkpoint use it. A distributed checkpoint does not record its own.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ArchitectureCompleter))]
    public ArchitectureArgument? Architecture { get; set; }

    /// <summary>The params.json or config.json that describes a distributed checkpoint, or the folder that it is in. By default, it is looked for around the checkpoint.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ConfigPath { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _options = MakeReadOptions(Architecture, ConfigPath);
    }

    private protected override LlamaCheckpoint Read(CheckpointAddress address, long? step, Action<string> log) =>
        CheckpointReader.Read(address, _options with { Step = step, Log = log }, Stop);
}
