namespace Fairseq2Llama;

/// <summary>How to test a checkpoint against its manifest.</summary>
public sealed record ManifestTestOptions
{
    /// <summary>The file of the manifest; null for the one beside the checkpoint.</summary>
    public CheckpointAddress? ManifestPath { get; init; }

    /// <summary>A checkpoint of any format whose tensors should be the same; null for none.</summary>
    public LlamaCheckpoint? Against { get; init; }

    /// <summary>A manifest whose tensors and options should be the same; null for none.</summary>
    public CheckpointManifest? AgainstManifest { get; init; }

    /// <summary>Whose signature is trusted; null to verify none.</summary>
    public SignatureTrust? Trust { get; init; }
}
