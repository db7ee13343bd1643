using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Says what a piped object is before PowerShell looks at its other properties and at its text. Text is a path, also if it came from a file and has the path of
/// that as a property. A checkpoint is none: as text it is its name, and by that name there may be another one in the current folder.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PathTransformationAttribute : ArgumentTransformationAttribute
{
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
    {
        LlamaCheckpoint checkpoint => throw new ArgumentTransformationMetadataException(
            $"'{checkpoint.Path}' is a {checkpoint.GetType().Name} that was already read. Give a path instead."),
        string { Length: > 0 } path => new PathArgument(path),
        string or null => inputData!,
        _ => ListedFile.Of(inputData) is { } file ? new PathArgument(file) : inputData,
    };
}
