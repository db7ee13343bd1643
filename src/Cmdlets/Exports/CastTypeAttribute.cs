using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// Takes the types that tensors can be cast to, and no others of <see cref="DType"/>, by the names that PyTorch and its users have for them, too:
/// bfloat16, bf16, fp16, half.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CastTypeAttribute : ArgumentTransformationAttribute
{
    private static readonly (DType DType, string[] Names)[] Types =
    [
        (DType.Float32, ["float32", "fp32", "float"]),
        (DType.Float16, ["float16", "fp16", "half"]),
        (DType.BFloat16, ["bfloat16", "bf16"]),
    ];

    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;

        if (given is null)
        {
            return null;
        }

        var name = $"{given}";
        name = name.StartsWith("torch.", StringComparison.OrdinalIgnoreCase) ? name["torch.".Length..] : name;

        return Types.FirstOrDefault(type => type.Names.Contains(name, StringComparer.OrdinalIgnoreCase)) is { Names: not null } found
            ? found.DType
            : throw new ArgumentTransformationMetadataException(
                $"Tensors can't be cast to '{name}'. Give one of {string.Join(", ", Types.SelectMany(type => type.Names))}.");
    }
}
