using System.Text;

namespace Fairseq2Llama.Reports.Markdown;

/// <summary>A table with pipes, as GitHub and Azure DevOps read it.</summary>
internal static class MarkdownTable
{
    /// <param name="columns">Headings; those of numbers begin with <c>#</c>.</param>
    /// <param name="rows">Cells of Markdown.</param>
    public static string Of(string[] columns, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();

        Append(columns.Select(column => column.TrimStart('#')));
        Append(columns.Select(column => column.StartsWith('#') ? "---:" : "---"));

        foreach (var row in rows)
        {
            Append(row);
        }

        return text.ToString();

        void Append(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
