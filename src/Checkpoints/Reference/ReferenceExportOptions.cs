using System.Globalization;
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

    /// <summary>The form of params.json.</summary>
    public ParamsLayout ParamsLayout { get; init; }

    /// <summary>Whether to write checklist.chk, too, with the MD5 of each file.</summary>
    public bool Checklist { get; init; }

    private protected override IEnumerable<(string Name, string? Value)> OwnRecorded =>
    [
        (nameof(ShardCount), ShardCount?.ToString(CultureInfo.InvariantCulture)),
        (nameof(ParamsLayout), ParamsLayout == default ? null : $"{ParamsLayout}"),
        (nameof(Checklist), Checklist ? "true" : null),
    ];

    internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new ReferenceFormat(this);
}
