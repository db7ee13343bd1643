using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Takes the types that tensors can be cast to, and no others of <see cref="DType"/>, by the names that PyTorch, llama.cpp and their users have for them,
/// too: bfloat16, bf16, fp16, half.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CastTypeAttribute : ArgumentTransformationAttribute
{
    private static readonly (DType DType, string[] Names)[] Types =
    [
        (DType.Float32, ["float32", "fp32", "f32", "float"]),
        (DType.Float16, ["float16", "fp16", "f16", "half"]),
        (DType.BFloat16, ["bfloat16", "bf16"]),
        (DType.Q8_0, ["q8_0"]),
    ];

    /// <summary>Whether the quantized ones are taken, too.</summary>
    public bool TakesQuantized { get; init; }

    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;

        if (given is null)
        {
            return null;
        }

        var name = $"{given}";
        name = name.StartsWith("torch.", StringComparison.OrdinalIgnoreCase) ? name["torch.".Length..] : name;

        var types = Types.Where(type => TakesQuantized || !type.DType.IsQuantized());

        return types.FirstOrDefault(type => type.Names.Contains(name, StringComparer.OrdinalIgnoreCase)) is { Names: not null } found
            ? found.DType
            : throw new ArgumentTransformationMetadataException(
                $"Tensors can't be cast to '{name}'. Give one of {string.Join(", ", types.SelectMany(type => type.Names))}."
                    + (TakesQuantized ? " For other types of llama.cpp, export one of these and run llama-quantize." : ""));
    }
}
