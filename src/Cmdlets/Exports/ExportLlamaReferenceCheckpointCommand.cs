using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Exports a checkpoint in Meta's reference format: consolidated.NN.pth and params.json.</summary>
[Cmdlet(VerbsData.Export, "LlamaReferenceCheckpoint", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(LlamaReferenceCheckpoint), typeof(ExportedShard))]
public sealed class ExportLlamaReferenceCheckpointCommand : ShardedExportCommand
{
    /// <summary>
    /// The number of files to divide the weights into, which is the model-parallel size of the loader. By default, as many as
    /// the checkpoint itself is divided into by tensor or model parallelism.
    /// </summary>
    [Parameter]
    [ValidateRange(1, 99999)]
    public int? ShardCount { get; set; }

    /// <summary>
    /// The form of params.json: Nested, as fairseq2 wrote it; or Flat, as that of Meta's loaders wants it whose model it is, which Llama2
    /// (meta-llama/llama) and Llama3 (meta-llama/llama3 and llama-models) name.
    /// </summary>
    [Parameter]
    public ParamsLayout ParamsLayout { get; set; }

    /// <summary>Also writes checklist.chk, as in Meta's downloads: <c>md5sum -c checklist.chk</c> shows whether a copy is intact.</summary>
    [Parameter]
    public SwitchParameter Checklist { get; set; }

    private protected override ExportOptions MakeOptions(CheckpointAddress destination) => new ReferenceExportOptions
    {
        ShardCount = ShardCount,
        ParamsLayout = ParamsLayout,
        Checklist = Checklist,
    };
}
