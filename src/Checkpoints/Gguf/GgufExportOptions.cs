using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama;

/// <summary>How to export to GGUF, for llama.cpp and programs that are based on it. The exported element types are float32, float16, bfloat16 and Q8_0.</summary>
public sealed record GgufExportOptions : ExportOptions
{
    /// <summary>The name of the file: <c>model.gguf</c>. Of a model that is split, <c>model-00001-of-00002.gguf</c> and so on are made of it.</summary>
    public required string FileName { get; init; }

    /// <summary>Bytes of tensors up to which they go into one file; a tensor that is larger gets a file of its own. Null for one file.</summary>
    public long? MaxShardSize { get; init; }

    /// <summary>
    /// The address of a folder with the files of a tokenizer, or of one of them. Null for that beside the checkpoint, or inside of a checkpoint that is a GGUF file itself.
    /// </summary>
    public CheckpointAddress? TokenizerPath { get; init; }

    /// <summary>
    /// Values for keys that begin with <c>general.</c>, with or without that: <c>name</c>, <c>author</c>, <c>license</c>. A text, a whole number, or texts.
    /// </summary>
    public ImmutableArray<KeyValuePair<string, object>> Metadata { get; init; } = [];

    private protected override IEnumerable<(string Name, string? Value)> OwnRecorded =>
    [
        (nameof(MaxShardSize), MaxShardSize?.ToString(CultureInfo.InvariantCulture)),
        (nameof(TokenizerPath), TokenizerPath?.Name),
        (nameof(Metadata), Metadata.IsEmpty ? null : string.Join("; ", Metadata.Select(entry => $"{entry.Key} = {Show(entry.Value)}"))),
    ];

    private static string Show(object value) => value is not string and IEnumerable values
        ? string.Join(", ", values.Cast<object>().Select(Show))
        : string.Create(CultureInfo.InvariantCulture, $"{value}");

    internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new GgufFormat(this, cancellationToken);
}
