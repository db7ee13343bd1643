using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Makes every error record of the module. The ErrorId of what the library throws is the name of the <see cref="CheckpointErrorCode"/>.</summary>
internal static class ErrorRecords
{
    public static ErrorRecord From(CheckpointException error) => new(error, error.Code.ToString(), CategoryOf(error.Code), error.Target)
    {
        // The target itself is for scripts.
        CategoryInfo = { TargetName = Display.Text(error.Target) },
    };

    /// <summary>The error for parameters that exclude each other, under PowerShell's own id for that.</summary>
    public static ErrorRecord Ambiguous(string message) => new(new PSArgumentException(message), "AmbiguousParameterSet", ErrorCategory.InvalidArgument, targetObject: null);

    /// <summary>Ends a command whose arguments name a checkpoint in two ways.</summary>
    public static void RefuseTwoCheckpoints(this Cmdlet cmdlet) =>
        cmdlet.ThrowTerminatingError(Ambiguous("A checkpoint is given twice: as -Path, and in the pipeline or as -Checkpoint. Leave one out."));

    private static ErrorCategory CategoryOf(CheckpointErrorCode code) => code switch
    {
        CheckpointErrorCode.CheckpointNotFound or CheckpointErrorCode.MissingShard or CheckpointErrorCode.MissingTensor
            or CheckpointErrorCode.ArchitectureUnknown or CheckpointErrorCode.TokenizerNotFound or CheckpointErrorCode.ManifestNotFound or CheckpointErrorCode.AdapterNotFound => ErrorCategory.ObjectNotFound,
        CheckpointErrorCode.UnsafePickle => ErrorCategory.SecurityError,
        CheckpointErrorCode.ReadFailed => ErrorCategory.ReadError,
        CheckpointErrorCode.WriteFailed => ErrorCategory.WriteError,
        CheckpointErrorCode.OutputExists => ErrorCategory.ResourceExists,
        CheckpointErrorCode.InsufficientDiskSpace or CheckpointErrorCode.LibTorchFailed => ErrorCategory.ResourceUnavailable,
        CheckpointErrorCode.LibTorchUnavailable => ErrorCategory.NotInstalled,
        CheckpointErrorCode.ArchitectureRequired or CheckpointErrorCode.ReportFormatRequired => ErrorCategory.InvalidArgument,
        _ => ErrorCategory.InvalidData,
    };
}
