using System.Collections.Frozen;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// What there is to know about each <see cref="DType"/>: its size, what PyTorch and safetensors call it, and which bit patterns are finite.
/// </summary>
/// <param name="DType">Which it is.</param>
/// <param name="TorchName">What PyTorch calls it.</param>
/// <param name="BytesPerBlock">Bytes of the smallest piece that can be read by itself.</param>
/// <param name="SwapUnit">The size of the unit whose bytes are reversed between byte orders: a complex number has two units.</param>
/// <param name="StorageName">
/// PyTorch's typed storage class. Null for the types that came after those were frozen (2.1): torch.save writes them as an UntypedStorage and
/// _rebuild_tensor_v3.
/// </param>
/// <param name="SafeTensorsName">What safetensors calls it; null for the type that it lacks.</param>
/// <param name="Float">
/// Of floating-point types; of a complex number it is about one of the two, and of a quantized type about the scale. All patterns of integers are finite.
/// </param>
/// <param name="ElementsPerBlock">How many elements that piece holds.</param>
/// <param name="GgmlType">Its number in GGUF files (ggml.h); null where a LLaMA has none of it there.</param>
internal sealed record DTypeInfo(
    DType DType,
    string TorchName,
    int BytesPerBlock,
    int SwapUnit,
    string? StorageName,
    string? SafeTensorsName,
    FloatFormat? Float = null,
    int ElementsPerBlock = 1,
    uint? GgmlType = null)
{
    private static readonly DTypeInfo[] All =
    [
        new(DType.Float32, "float32", 4, 4, "FloatStorage", "F32", new(0x7f7f_ffff), GgmlType: 0),
        new(DType.Float64, "float64", 8, 8, "DoubleStorage", "F64", new(0x7fef_ffff_ffff_ffff), GgmlType: 28),
        new(DType.Float16, "float16", 2, 2, "HalfStorage", "F16", new(0x7bff), GgmlType: 1),
        new(DType.BFloat16, "bfloat16", 2, 2, "BFloat16Storage", "BF16", new(0x7f7f), GgmlType: 30),
        new(DType.Float8E4M3FN, "float8_e4m3fn", 1, 1, null, "F8_E4M3", new(0x7e, HasInfinity: false)),
        new(DType.Float8E5M2, "float8_e5m2", 1, 1, null, "F8_E5M2", new(0x7b)),
        new(DType.Int8, "int8", 1, 1, "CharStorage", "I8"),
        new(DType.Int16, "int16", 2, 2, "ShortStorage", "I16"),
        new(DType.Int32, "int32", 4, 4, "IntStorage", "I32"),
        new(DType.Int64, "int64", 8, 8, "LongStorage", "I64"),
        new(DType.UInt8, "uint8", 1, 1, "ByteStorage", "U8"),
        new(DType.UInt16, "uint16", 2, 2, null, "U16"),
        new(DType.UInt32, "uint32", 4, 4, null, "U32"),
        new(DType.UInt64, "uint64", 8, 8, null, "U64"),
        new(DType.Bool, "bool", 1, 1, "BoolStorage", "BOOL"),
        new(DType.Complex64, "complex64", 8, 4, "ComplexFloatStorage", "C64", new(0x7f7f_ffff)),
        new(DType.Complex128, "complex128", 16, 8, "ComplexDoubleStorage", null, new(0x7fef_ffff_ffff_ffff)),
        new(DType.Q8_0, "q8_0", 34, 1, null, null, new(0x7bff), ElementsPerBlock: 32, GgmlType: 8),
    ];

    /// <summary>
    /// Its place in safetensors' list of types (tensor.rs, the same in all versions as far as they have it): the larger its elements, the later it mostly comes.
    /// </summary>
    public int SafeTensorsRank => Array.IndexOf(SafeTensorsRanks, SafeTensorsName);

    /// <summary>Whether its elements are pairs of numbers.</summary>
    public bool IsComplex => DType is DType.Complex64 or DType.Complex128;

    /// <summary>Whether several of its elements have one scale, so that none can be read without the others.</summary>
    public bool IsQuantized => ElementsPerBlock > 1;

    /// <summary>Whether its elements are real numbers that need not be whole.</summary>
    public bool IsRealFloat => Float is not null && !IsComplex;

    /// <summary>The type in which its numbers are looked at: its own, or float32, which each number of a quantized type is.</summary>
    public DType NumberDType => IsQuantized ? DType.Float32 : DType;

    private static readonly string[] SafeTensorsRanks =
        ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"];

    private static readonly FrozenDictionary<DType, DTypeInfo> ByDType = All.ToFrozenDictionary(info => info.DType);

    private static readonly FrozenDictionary<string, DTypeInfo> BySafeTensorsName =
        All.Where(info => info.SafeTensorsName is not null).ToFrozenDictionary(info => info.SafeTensorsName!, StringComparer.Ordinal);

    private static readonly FrozenDictionary<uint, DTypeInfo> ByGgmlType =
        All.Where(info => info.GgmlType is not null).ToFrozenDictionary(info => info.GgmlType!.Value);

    public static IReadOnlyList<DTypeInfo> Known => All;

    public static DTypeInfo Of(DType dtype) => ByDType[dtype];

    /// <summary>Bytes of an element, where each is a block of its own: in all types that files of PyTorch and safetensors hold.</summary>
    /// <exception cref="InvalidOperationException">It is quantized.</exception>
    public int ItemSize => IsQuantized ? throw new InvalidOperationException($"{TorchName} has no bytes for a single element.") : BytesPerBlock;

    /// <summary>Bytes that whole blocks of elements take.</summary>
    public long LengthOf(long elementCount) => elementCount / ElementsPerBlock * BytesPerBlock;

    /// <summary>How many elements lie in a number of bytes.</summary>
    public long ElementsIn(long length) => length / BytesPerBlock * ElementsPerBlock;

    /// <param name="name">As it stands in the header of a file: <c>BF16</c>.</param>
    /// <returns>Null when no <see cref="DType"/> is called that.</returns>
    public static DTypeInfo? OfSafeTensors(string name) => BySafeTensorsName.GetValueOrDefault(name);

    /// <param name="number">As it stands in a GGUF file.</param>
    /// <returns>Null when no <see cref="DType"/> is meant.</returns>
    public static DTypeInfo? OfGgml(uint number) => ByGgmlType.GetValueOrDefault(number);
}
