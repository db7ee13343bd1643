using System.Globalization;
using Fairseq2Llama.Formats;

namespace Fairseq2Llama.Reports;

/// <summary>Says in words what kind of checkpoint it is.</summary>
internal static class CheckpointLayoutText
{
    public static string FormatOf(LlamaCheckpoint checkpoint) => CheckpointFormats.Of(checkpoint.Format).Name;

    public static string LayoutOf(LlamaCheckpoint checkpoint) => (checkpoint, checkpoint.ShardCount) switch
    {
        (MergedCheckpoint, _) => "merged when it is read",
        (_, 1) => "one file of weights",
        (Fairseq2Checkpoint grid, var count) => string.Create(
            CultureInfo.InvariantCulture,
            $"{count} shards: pp {grid.PipelineStages} × tp {grid.TensorParallelSize} × sdp {grid.DataParallelSize}"),
        (LlamaReferenceCheckpoint, var count) => string.Create(CultureInfo.InvariantCulture, $"{count} model-parallel files"),
        (DistributedCheckpoint, var count) => string.Create(CultureInfo.InvariantCulture, $"{count} files with parts of tensors"),
        (_, var count) => string.Create(CultureInfo.InvariantCulture, $"{count} files of whole tensors"),
    };
}
