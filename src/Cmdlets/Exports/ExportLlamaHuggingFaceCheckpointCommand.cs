using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Exports a checkpoint in Hugging Face's format, for transformers' LlamaForCausalLM: safetensors files and config.json.</summary>
[Cmdlet(VerbsData.Export, "LlamaHuggingFaceCheckpoint", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(LlamaHuggingFaceCheckpoint))]
public sealed class ExportLlamaHuggingFaceCheckpointCommand : ExportCommand
{
    /// <summary>
    /// How much one file may hold: a number of bytes, or one with a decimal (5GB) or binary (5GiB) suffix. A tensor that is larger gets a file of its own.
    /// </summary>
    [Parameter]
    [ValidateByteSize]
    [ArgumentCompleter(typeof(ByteSizeCompleter))]
    public string MaxShardSize { get; set; } = "5GB";

    /// <summary>A folder with the files of a tokenizer, or one of them; copied beside the weights.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TokenizerPath { get; set; }

    private protected override ExportOptions MakeOptions() => new HuggingFaceExportOptions
    {
        MaxShardSize = ByteSize.Parse(MaxShardSize)!.Value,
        TokenizerPath = TokenizerPath is null ? null : this.ResolveTokenizer(TokenizerPath),
    };
}
