using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>How to export to the reference format.</summary>
public sealed record ReferenceExportOptions
{
    /// <summary>The architecture; null to conclude it from the shapes.</summary>
    public LlamaArchitecture? Architecture { get; init; }

    /// <summary>The number of files, one for each model-parallel rank of who reads them; null for one for each tensor-parallel rank of the input.</summary>
    public int? ShardCount { get; init; }

    /// <summary>Which of these files to write, from 0; empty for all. params.json is written in any case.</summary>
    public ImmutableArray<int> ShardIndex { get; init; } = [];

    /// <summary>
    /// The element type that real floating-point tensors are cast to, rounding to the nearest as PyTorch does; null to leave them as they are.
    /// </summary>
    public DType? DType { get; init; }

    /// <summary>The form of params.json.</summary>
    public ParamsLayout ParamsLayout { get; init; }

    /// <summary>Whether tensors that LLaMA does not have are carried over rather than refused.</summary>
    public bool AllowUnmapped { get; init; }

    /// <summary>How much to check.</summary>
    public VerificationMode Verification { get; init; }

    /// <summary>Whether to write checklist.chk, too, with the MD5 of each file; it can name all shards only where all are written.</summary>
    public bool Checklist { get; init; }

    /// <summary>Whether files of an earlier export in the destination are replaced.</summary>
    public bool Force { get; init; }

    /// <summary>
    /// Whether the export waits until the files are on the disk before it puts them in place, so that they are whole or absent even after
    /// a loss of power. That takes longer than writing them, and the input is still there to write them from; so it is always done where
    /// files of an earlier export are replaced or removed, and elsewhere only on demand.
    /// </summary>
    public bool Flush { get; init; }
}
