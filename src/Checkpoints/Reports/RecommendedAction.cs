namespace Fairseq2Llama.Reports;

/// <summary>What to do about a finding, where its message does not say so itself.</summary>
internal static class RecommendedAction
{
    public static string Of(CheckpointFinding finding) => (finding.Code, finding.Severity) switch
    {
        (CheckpointErrorCode.UnmappedTensor, _) =>
            "Leave it out with Get-CheckpointTensor -Exclude, or carry it over with -AllowUnmapped.",
        (CheckpointErrorCode.MissingTensor, _) =>
            "Check whether files are missing. If the output is tied to the embeddings, use an architecture with TiedEmbeddings.",
        (CheckpointErrorCode.ArchitectureMismatch, _) =>
            "Use -Architecture with the architecture that the model was trained with, or make one with New-LlamaArchitecture.",
        (CheckpointErrorCode.ArchitectureUnknown, _) => "Check the spelling, or use -Architecture.",
        (CheckpointErrorCode.ArchitectureRequired, _) => "Use -Architecture.",
        (CheckpointErrorCode.ShardMismatch, FindingSeverity.Information) => "Nothing. PyTorch divides tensors this way.",
        (CheckpointErrorCode.ShardMismatch, _) => "Check whether all files belong to the same checkpoint.",
        (CheckpointErrorCode.NonFiniteNumbers, _) =>
            "Use an earlier step of the training run. NaN and Inf spread through the model.",
        (CheckpointErrorCode.CheckpointUnrecognized, _) => "Move it elsewhere if it does not belong there.",
        (CheckpointErrorCode.CheckpointCorrupt, FindingSeverity.Error) => "Copy the file again from its source.",
        (CheckpointErrorCode.CheckpointCorrupt, _) => "Nothing, if you trust the source. Compare a copy with the source by other means.",
        (CheckpointErrorCode.UnsupportedTensor, FindingSeverity.Error) => "Save it as an ordinary tensor.",
        (CheckpointErrorCode.UnsupportedTensor, _) => "Nothing, unless another program needs it.",
        (CheckpointErrorCode.ReadFailed, _) => "Make the file readable, then try again.",
        (CheckpointErrorCode.MissingShard, _) => "Copy the missing files from where the model was trained.",
        _ => "See about_CheckpointSafety.",
    };
}
