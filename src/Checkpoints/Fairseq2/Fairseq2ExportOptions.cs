using Fairseq2Llama.Conversion;
using Fairseq2Llama.Fairseq2;

namespace Fairseq2Llama;

/// <summary>How to export to a checkpoint of fairseq2: model.pt and model.yaml as 0.4.6 writes them.</summary>
public sealed record Fairseq2ExportOptions : ExportOptions
{
    internal override OutputFormat Format => new Fairseq2Format();
}
