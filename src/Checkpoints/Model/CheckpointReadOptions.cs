namespace Fairseq2Llama;

/// <summary>What a reader is told about a checkpoint besides its address.</summary>
public sealed record CheckpointReadOptions
{
    /// <summary>The step of a training run; null for the newest one that is finished.</summary>
    public long? Step { get; init; }

    /// <summary>The architecture, if the user names it. Exports use it unless they are told otherwise.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>A params.json or config.json that describes a distributed checkpoint, which describes itself in no other way; or the folder that it is in.</summary>
    public CheckpointAddress? ConfigPath { get; init; }

    /// <summary>Told which format is found, and which steps and files are skipped.</summary>
    public Action<string>? Log { get; init; }
}
