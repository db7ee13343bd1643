using System.Diagnostics.CodeAnalysis;

namespace Fairseq2Llama;

/// <summary>PyTorch's element types, under PyTorch's names, and those in which ggml quantizes.</summary>
public enum DType
{
    /// <summary>torch.float32, 4 bytes.</summary>
    Float32,

    /// <summary>torch.float64, 8 bytes.</summary>
    Float64,

    /// <summary>torch.float16, 2 bytes.</summary>
    Float16,

    /// <summary>torch.bfloat16, 2 bytes.</summary>
    BFloat16,

    /// <summary>torch.float8_e4m3fn, 1 byte.</summary>
    Float8E4M3FN,

    /// <summary>torch.float8_e5m2, 1 byte.</summary>
    Float8E5M2,

    /// <summary>torch.int8, 1 byte.</summary>
    Int8,

    /// <summary>torch.int16, 2 bytes.</summary>
    Int16,

    /// <summary>torch.int32, 4 bytes.</summary>
    Int32,

    /// <summary>torch.int64, 8 bytes.</summary>
    Int64,

    /// <summary>torch.uint8, 1 byte.</summary>
    UInt8,

    /// <summary>torch.uint16, 2 bytes.</summary>
    UInt16,

    /// <summary>torch.uint32, 4 bytes.</summary>
    UInt32,

    /// <summary>torch.uint64, 8 bytes.</summary>
    UInt64,

    /// <summary>torch.bool, 1 byte.</summary>
    Bool,

    /// <summary>torch.complex64, two float32.</summary>
    Complex64,

    /// <summary>torch.complex128, two float64.</summary>
    Complex128,

    /// <summary>
    /// ggml's Q8_0, which GGUF files hold and PyTorch does not have: of 32 elements of a row, a float16 scale and 32 int8, 34 bytes together.
    /// </summary>
    [SuppressMessage("Naming", "CA1707", Justification = "ggml calls it that, and users type it.")]
    Q8_0,
}
