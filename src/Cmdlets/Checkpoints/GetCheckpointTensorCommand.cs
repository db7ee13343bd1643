using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Gets the tensors of a checkpoint.</summary>
[Cmdlet(VerbsCommon.Get, "CheckpointTensor", DefaultParameterSetName = PathSet)]
[OutputType(typeof(CheckpointTensor))]
public sealed class GetCheckpointTensorCommand : StoreCmdlet
{
    private const string PathSet = "Path";
    private const string CheckpointSet = "Checkpoint";

    /// <summary>
    /// The checkpoint: its path, which may have wildcards, or an object. Where checkpoints are piped, the first argument without a name is -Name.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PathSet)]
    [Parameter(Position = 0, ParameterSetName = CheckpointSet)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TensorNameCompleter))]
    public CheckpointArgument[] Path { get; set; } = [];

    /// <summary>Names or wildcards, in the convention of any format.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TensorNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Names or wildcards of tensors to be left out, in the convention of any format.</summary>
    [Parameter]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(TensorNameCompleter))]
    public string[]? Exclude { get; set; }

    /// <summary>Decoder layers, from 0.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    [ArgumentCompleter(typeof(LayerCompleter))]
    public int[]? Layer { get; set; }

    /// <summary>Checkpoints of any format, or their paths.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = CheckpointSet)]
    [ValidateNotNullOrEmpty]
    public CheckpointArgument[] Checkpoint { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == PathSet)
        {
            PerCheckpoint(Path, checkpoint => Select(checkpoint, Name));
            return;
        }

        if (Path.Length > 0 && MyInvocation.BoundParameters.ContainsKey(nameof(Name)))
        {
            this.RefuseTwoCheckpoints();
        }

        PerCheckpoint(Checkpoint, checkpoint => Select(checkpoint, Path.Length > 0 ? Array.ConvertAll(Path, argument => $"{argument}") : Name));
    }

    private void Select(LlamaCheckpoint checkpoint, string[] names)
    {
        foreach (var literal in names.Where(name => !WildcardPattern.ContainsWildcardCharacters(name)))
        {
            var name = WildcardPattern.Unescape(literal);
            RequireAny(checkpoint, new TensorNamePatterns([literal]).Match, $"no tensor '{name}'", name);
        }

        foreach (var layer in Layer ?? [])
        {
            RequireAny(checkpoint, tensor => tensor.Layer == layer, $"no layer {layer}", layer.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        var (included, excluded) = (new TensorNamePatterns(names), new TensorNamePatterns(Exclude ?? []));

        foreach (var tensor in checkpoint.Tensors)
        {
            if ((Layer is null || (tensor.Layer is { } layer && Layer.Contains(layer))) && included.Match(tensor) && !excluded.Match(tensor))
            {
                WriteObject(tensor);
            }
        }
    }

    private void RequireAny(LlamaCheckpoint checkpoint, Func<CheckpointTensor, bool> condition, string what, string target)
    {
        if (!checkpoint.Tensors.Any(condition))
        {
            WriteError(ErrorRecords.From(new CheckpointException(
                CheckpointErrorCode.MissingTensor,
                $"'{checkpoint.Path}' has {what}. To list its tensors, run Get-CheckpointTensor without -Name and -Layer.",
                target)));
        }
    }
}
