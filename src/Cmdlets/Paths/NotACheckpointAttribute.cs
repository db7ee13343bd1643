using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Keeps PowerShell from making a path of a checkpoint: as text it is its name, and by that name there may be another one in the current folder.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotACheckpointAttribute : ArgumentTransformationAttribute
{
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
    {
        LlamaCheckpoint checkpoint => throw new ArgumentTransformationMetadataException(
            $"'{checkpoint.Path}' is a {checkpoint.GetType().Name} that was already read. Give a path instead."),
        _ => inputData,
    };
}
