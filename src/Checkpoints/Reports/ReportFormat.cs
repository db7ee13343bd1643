namespace Fairseq2Llama;

/// <summary>What a report is written as.</summary>
public enum ReportFormat
{
    /// <summary>One self-contained page: no script, nothing from a network.</summary>
    Html,

    /// <summary>Markdown of the kind that GitHub and Azure DevOps read, with tables.</summary>
    Markdown,
}
