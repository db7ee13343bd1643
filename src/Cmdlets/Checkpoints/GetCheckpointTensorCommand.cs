using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Gets the tensors of a checkpoint.</summary>
[Cmdlet(VerbsCommon.Get, "CheckpointTensor")]
[OutputType(typeof(CheckpointTensor))]
public sealed class GetCheckpointTensorCommand : CheckpointCmdlet
{
    /// <summary>Names or wildcards, as the checkpoint itself has them.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TensorNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Decoder layers, from 0.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(LayerCompleter))]
    public int[]? Layer { get; set; }

    /// <summary>The checkpoint.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public LlamaCheckpoint Checkpoint { get; set; } = null!;

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(Select);

    private void Select()
    {
        foreach (var name in Name.Where(name => !WildcardPattern.ContainsWildcardCharacters(name)).Select(WildcardPattern.Unescape))
        {
            RequireAny(tensor => string.Equals(tensor.Name, name, StringComparison.OrdinalIgnoreCase), $"no tensor '{name}'", name);
        }

        foreach (var layer in Layer ?? [])
        {
            RequireAny(tensor => tensor.Layer == layer, $"no layer {layer}", layer.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        var patterns = Array.ConvertAll(Name, name => WildcardPattern.Get(name, WildcardOptions.IgnoreCase));

        foreach (var tensor in Checkpoint.Tensors)
        {
            if ((Layer is null || (tensor.Layer is { } layer && Layer.Contains(layer))) && patterns.Any(pattern => pattern.IsMatch(tensor.Name)))
            {
                WriteObject(tensor);
            }
        }
    }

    private void RequireAny(Func<CheckpointTensor, bool> condition, string what, string target)
    {
        if (!Checkpoint.Tensors.Any(condition))
        {
            WriteError(ErrorRecords.From(new CheckpointException(
                CheckpointErrorCode.MissingTensor,
                $"'{Checkpoint.Path}' has {what}. Without -Name and -Layer, Get-CheckpointTensor shows what it has.",
                target)));
        }
    }
}
