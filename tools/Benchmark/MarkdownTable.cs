using System.Text;

namespace Fairseq2Llama.Benchmark;

/// <summary>A table that reads as well on a console as it does in Markdown.</summary>
/// <param name="header">The columns. The first one is text, the others are numbers, to the right.</param>
internal sealed class MarkdownTable(params string[] header)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] row) => _rows.Add(row);

    public override string ToString()
    {
        var widths = header.Select((title, column) => _rows.Select(row => row[column].Length).Append(title.Length).Append(2).Max()).ToArray();
        var text = new StringBuilder();

        AddLine(header);
        AddLine([.. widths.Select((width, column) => column == 0 ? new string('-', width) : new string('-', width - 1) + ':')]);
        _rows.ForEach(AddLine);
        return text.ToString();

        void AddLine(string[] cells) => text
            .Append("| ")
            .AppendJoin(" | ", cells.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])))
            .Append(" |\n");
    }
}
