using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama;

/// <summary>How to export to a checkpoint of fairseq2: model.pt and model.yaml as 0.4.6 writes them.</summary>
public sealed record Fairseq2ExportOptions : ExportOptions
{
    internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new Fairseq2Format();
}
