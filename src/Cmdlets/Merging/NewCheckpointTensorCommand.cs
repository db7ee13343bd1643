using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Makes a checkpoint tensor of a TorchSharp tensor or of numbers. Exports take it beside those of a checkpoint, in the place of the one of the same name.</summary>
[Cmdlet(VerbsCommon.New, "CheckpointTensor")]
[OutputType(typeof(CheckpointTensor))]
public sealed class NewCheckpointTensorCommand : CheckpointCmdlet
{
    /// <summary>Its name, in any of the formats.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>A TorchSharp tensor, which is copied; or numbers, rows of numbers, or an array of them with two dimensions.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNull]
    public object Value { get; set; } = null!;

    /// <summary>The shape of numbers that are given one after the other.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateRange(0, long.MaxValue)]
    public long[]? Shape { get; set; }

    /// <summary>The element type of numbers; float32 when absent.</summary>
    [Parameter]
    [ValidateSet(nameof(Fairseq2Llama.DType.Float32), nameof(Fairseq2Llama.DType.Float16), nameof(Fairseq2Llama.DType.BFloat16))]
    public DType? DType { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => PerItem(() => WriteObject(Make(Value is PSObject wrapped ? wrapped.BaseObject : Value)));

    private CheckpointTensor Make(object value)
    {
        if (NumberValues.Of(value) is { } numbers)
        {
            return NewTensor.Of(Name, numbers.Numbers, ToShape(Shape ?? numbers.Shape), DType ?? Fairseq2Llama.DType.Float32);
        }

        if (Shape is not null || DType is not null)
        {
            ThrowTerminatingError(ErrorRecords.Ambiguous("A tensor has a shape and an element type of its own. Omit -Shape and -DType, or change the tensor before."));
        }

        return NewTensor.Of(Name, value);
    }

    private TensorShape ToShape(long[] sizes)
    {
        try
        {
            return new TensorShape(sizes);
        }
        catch (OverflowException)
        {
            throw new CheckpointException(CheckpointErrorCode.UnsupportedTensor, $"'{Name}' can't be {string.Join('x', sizes)}: no tensor has so many elements.", Name);
        }
    }
}
