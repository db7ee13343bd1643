using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Exports a checkpoint in Hugging Face's format, for transformers' LlamaForCausalLM: safetensors files and config.json.</summary>
[Cmdlet(VerbsData.Export, "LlamaHuggingFaceCheckpoint", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(LlamaHuggingFaceCheckpoint), typeof(ExportedShard))]
public sealed class ExportLlamaHuggingFaceCheckpointCommand : ShardedExportCommand
{
    /// <summary>How many bytes one file may hold, 5 GB as in transformers when absent. A tensor that is larger gets a file of its own.</summary>
    [Parameter]
    [ValidateRange(1, long.MaxValue)]
    public long MaxShardSize { get; set; } = new HuggingFaceExportOptions().MaxShardSize;

    /// <summary>A folder with the files of a tokenizer, or one of them; copied beside the weights. What is missing is made of tokenizer.model.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TokenizerPath { get; set; }

    private protected override ExportOptions MakeOptions(CheckpointAddress destination) => new HuggingFaceExportOptions
    {
        MaxShardSize = MaxShardSize,
        TokenizerPath = TokenizerPath is null ? null : ResolveTokenizer(TokenizerPath),
    };
}
