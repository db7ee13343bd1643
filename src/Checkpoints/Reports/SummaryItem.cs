namespace Fairseq2Llama.Reports;

/// <summary>Something that is wanted at a glance.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">It, short.</param>
/// <param name="Detail">It, in full.</param>
internal sealed record SummaryItem(string Name, string Value, string? Detail = null);
