using TorchSharp;

namespace Fairseq2Llama.Torch;

/// <summary>
/// PyTorch's numbers for element types (c10/core/ScalarType.h). TorchSharp hands them on as they are, so that those work, too, for which
/// its own enum has no name.
/// </summary>
internal static class TorchTypes
{
    private static readonly Dictionary<torch.ScalarType, DType> DTypes =
        Enum.GetValues<DType>().Where(dtype => !dtype.IsQuantized()).ToDictionary(dtype => dtype.ToScalarType());

    /// <summary>Null for a type that checkpoints do not have.</summary>
    public static DType? ToDType(this torch.ScalarType type) => DTypes.TryGetValue(type, out var dtype) ? dtype : null;

    public static torch.ScalarType ToScalarType(this DType dtype) => (torch.ScalarType)(dtype switch
    {
        DType.UInt8 => 0,
        DType.Int8 => 1,
        DType.Int16 => 2,
        DType.Int32 => 3,
        DType.Int64 => 4,
        DType.Float16 => 5,
        DType.Float32 => 6,
        DType.Float64 => 7,
        DType.Complex64 => 9,
        DType.Complex128 => 10,
        DType.Bool => 11,
        DType.BFloat16 => 15,
        DType.Float8E5M2 => 23,
        DType.Float8E4M3FN => 24,
        DType.UInt16 => 27,
        DType.UInt32 => 28,
        DType.UInt64 => 29,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null),
    });
}
