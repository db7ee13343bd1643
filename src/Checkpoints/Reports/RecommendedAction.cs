namespace Fairseq2Llama.Reports;

/// <summary>What to do about a finding, where its message does not say so itself.</summary>
internal static class RecommendedAction
{
    public static string Of(CheckpointFinding finding) => (finding.Code, finding.Severity) switch
    {
        (CheckpointErrorCode.UnmappedTensor, _) =>
            "Filter it out with Get-CheckpointTensor and Where-Object, or carry it over with -AllowUnmapped.",
        (CheckpointErrorCode.MissingTensor, _) =>
            "Look whether files are missing. Where the output is tied to the embeddings, name an architecture with TiedEmbeddings.",
        (CheckpointErrorCode.ArchitectureMismatch, _) =>
            "Name the architecture that the model was trained with by -Architecture, or make it with New-LlamaArchitecture.",
        (CheckpointErrorCode.ArchitectureUnknown, _) => "Look whether it is a slip; otherwise name the architecture by -Architecture.",
        (CheckpointErrorCode.ArchitectureRequired, _) => "Name the architecture by -Architecture.",
        (CheckpointErrorCode.ShardMismatch, FindingSeverity.Information) => "Nothing: it is how PyTorch divides.",
        (CheckpointErrorCode.ShardMismatch, _) => "Look whether the files are of one and the same checkpoint.",
        (CheckpointErrorCode.NonFiniteNumbers, _) =>
            "Take an earlier step of the training run; what is NaN or Inf spreads through the model.",
        (CheckpointErrorCode.CheckpointUnrecognized, _) => "Move it away, if it does not belong there.",
        (CheckpointErrorCode.CheckpointCorrupt, FindingSeverity.Error) => "Copy the file again from its origin.",
        (CheckpointErrorCode.CheckpointCorrupt, _) => "Nothing, as long as the origin is trusted; compare a copy with it by other means.",
        (CheckpointErrorCode.UnsupportedTensor, FindingSeverity.Error) => "Save it as an ordinary tensor.",
        (CheckpointErrorCode.UnsupportedTensor, _) => "Nothing, unless something else needs it.",
        (CheckpointErrorCode.ReadFailed, _) => "Make the file readable, then try again.",
        (CheckpointErrorCode.MissingShard, _) => "Copy what is missing from where the model was trained.",
        _ => "about_CheckpointSafety tells of this id.",
    };
}
