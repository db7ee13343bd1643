using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>What a GGUF file says of a tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its shape, outermost dim first; files have the innermost first.</param>
/// <param name="Offset">Where its data begins in the data section.</param>
internal sealed record TensorInfo(string Name, DType DType, TensorShape Shape, ulong Offset)
{
    /// <summary>The types of ggml.h by their numbers; some were given up.</summary>
    private static readonly string[] TypeNames =
    [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K",
        "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "",
        "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4", "NVFP4",
    ];

    /// <exception cref="CheckpointException">It is malformed, or of a type that is not read.</exception>
    public static TensorInfo Read(HeaderReader header, int maxDims)
    {
        var name = header.ReadName(TensorLimits.MaxNameLength, "the name of a tensor");
        var dims = header.ReadUInt32();

        if (dims > maxDims)
        {
            throw CheckpointException.Corrupt(header.File, $"'{name}' has {dims} dimensions, more than {maxDims}.");
        }

        var sizes = new long[dims];

        for (var dim = sizes.Length - 1; dim >= 0; dim--)
        {
            var size = header.ReadUInt64();
            sizes[dim] = size <= long.MaxValue ? (long)size : throw CheckpointException.Corrupt(header.File, $"'{name}' has a dimension of {size}.");
        }

        var number = header.ReadUInt32();
        var type = DTypeInfo.OfGgml(number) ?? throw new CheckpointException(
            CheckpointErrorCode.UnsupportedTensor,
            $"'{name}' of '{header.File}' is {(TypeNames.ElementAtOrDefault((int)Math.Min(number, int.MaxValue)) is { Length: > 0 } known ? known : $"of ggml's type {number}")}. Of GGUF files, only F32, F16, BF16, F64 and Q8_0"
                + " are read: take the file that this one was quantized from.",
            header.File);
        var shape = MakeShape(header, name, sizes);

        if (shape.Count == 0 ? type.IsQuantized : shape[shape.Count - 1] % type.ElementsPerBlock != 0)
        {
            throw CheckpointException.Corrupt(header.File, $"'{name}' is {type.TorchName} of the shape {shape}, but rows of it are made of blocks of {type.ElementsPerBlock} elements.");
        }

        return new TensorInfo(name, type.DType, shape, header.ReadUInt64());
    }

    private static TensorShape MakeShape(HeaderReader header, string name, long[] sizes)
    {
        try
        {
            var shape = new TensorShape(sizes);
            _ = shape.RowMajorStrides();

            // Bytes have to fit, too.
            return shape.ElementCount <= long.MaxValue / sizeof(double) ? shape : throw new OverflowException();
        }
        catch (OverflowException)
        {
            throw CheckpointException.Corrupt(header.File, $"'{name}' has more elements than 64 bits can count.");
        }
    }
}
