using System.Collections.Immutable;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Reference;

namespace Fairseq2Llama;

/// <summary>How to export to Meta's reference format: consolidated.NN.pth and params.json.</summary>
public sealed record ReferenceExportOptions : ExportOptions
{
    /// <summary>
    /// The number of files, one for each model-parallel rank of the reader; null for one for each tensor-parallel or model-parallel rank of the input.
    /// </summary>
    public int? ShardCount { get; init; }

    /// <summary>Which of these files to write, from 0; empty for all. params.json is written in any case.</summary>
    public ImmutableArray<int> ShardIndex { get; init; } = [];

    /// <summary>The form of params.json.</summary>
    public ParamsLayout ParamsLayout { get; init; }

    /// <summary>Whether to write checklist.chk, too, with the MD5 of each file; it can name all shards only where all are written.</summary>
    public bool Checklist { get; init; }

    internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new ReferenceFormat(this);
}
