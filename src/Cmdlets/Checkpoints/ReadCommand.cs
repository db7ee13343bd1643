namespace Fairseq2Llama.Cmdlets;

/// <summary>A command that reads the index of checkpoints of one format.</summary>
public abstract class ReadCommand : PathCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessPath(CheckpointAddress address) => WriteObject(Read(address, Read));

    /// <summary>What the arguments of the command say about checkpoints.</summary>
    private protected CheckpointReadOptions MakeReadOptions(ArchitectureArgument? architecture, string? configPath) => FromArgument(() => new CheckpointReadOptions
    {
        Architecture = architecture?.Get(),
        ConfigPath = configPath is null ? null : ResolveConfig(configPath),
    });

    /// <summary>Reads one.</summary>
    /// <param name="address">Where it is.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    private protected abstract LlamaCheckpoint Read(CheckpointAddress address);
}
