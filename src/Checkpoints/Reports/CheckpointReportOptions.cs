namespace Fairseq2Llama;

/// <summary>What a report shall hold.</summary>
public sealed record CheckpointReportOptions
{
    /// <summary>The architecture that the checkpoint should have; null for what the file beside the weights or the shapes tell.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>Whether to read all data, twice, for how the weights are distributed.</summary>
    public bool Statistics { get; init; }
}
