using System.Globalization;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama;

/// <summary>How to export to Hugging Face's format: safetensors files and config.json, for transformers' LlamaForCausalLM.</summary>
public sealed record HuggingFaceExportOptions : ExportOptions
{
    private const long DefaultMaxShardSize = 5_000_000_000;

    /// <summary>
    /// Bytes of tensors up to which they go into one file, as transformers' save_pretrained divides them; a tensor that is larger gets a file of its own.
    /// </summary>
    public long MaxShardSize { get; init; } = DefaultMaxShardSize;

    /// <summary>
    /// The address of a folder with the files of a tokenizer, or of one of them, to be copied; null for none. What is missing of tokenizer.json,
    /// tokenizer_config.json and special_tokens_map.json is made of tokenizer.model, as convert_llama_weights_to_hf.py of transformers 4 makes it since LLaMA 3.2.
    /// </summary>
    public CheckpointAddress? TokenizerPath { get; init; }

    private protected override IEnumerable<(string Name, string? Value)> OwnRecorded =>
    [
        (nameof(MaxShardSize), MaxShardSize == DefaultMaxShardSize ? null : MaxShardSize.ToString(CultureInfo.InvariantCulture)),
        (nameof(TokenizerPath), TokenizerPath?.Name),
    ];

    internal override OutputFormat MakeFormat(CancellationToken cancellationToken) => new HuggingFaceFormat(this, cancellationToken);
}
