namespace Fairseq2Llama;

/// <summary>How to test a checkpoint.</summary>
public sealed record CheckpointTestOptions
{
    /// <summary>The architecture that it should have; null for the one of model.yaml, or the one that the shapes fit.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>The format that it is going to be exported to; null for any of them.</summary>
    public CheckpointFormat? For { get; init; }

    /// <summary>Whether to read all data: checksums, NaN and Inf, copies that should be the same.</summary>
    public bool Deep { get; init; }
}
