using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Gguf;

/// <summary>What a GGUF file says of a tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its shape, outermost dim first; files have the innermost first.</param>
/// <param name="Offset">Where its data begins in the data section.</param>
internal sealed record TensorInfo(string Name, DType DType, TensorShape Shape, ulong Offset)
{
    /// <summary>What else ggml.h has at its numbers.</summary>
    private static readonly Dictionary<uint, string> OtherTypes = new()
    {
        [2] = "Q4_0", [3] = "Q4_1", [6] = "Q5_0", [7] = "Q5_1", [9] = "Q8_1", [10] = "Q2_K", [11] = "Q3_K", [12] = "Q4_K", [13] = "Q5_K", [14] = "Q6_K", [15] = "Q8_K",
        [16] = "IQ2_XXS", [17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S", [20] = "IQ4_NL", [21] = "IQ3_S", [22] = "IQ2_S", [23] = "IQ4_XS", [24] = "I8", [25] = "I16",
        [26] = "I32", [27] = "I64", [29] = "IQ1_M", [34] = "TQ1_0", [35] = "TQ2_0", [39] = "MXFP4", [40] = "NVFP4",
    };

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
            $"'{name}' of '{header.File}' is {(OtherTypes.TryGetValue(number, out var known) ? known : $"of ggml's type {number}")}. Of GGUF files, only F32, F16, BF16, F64 and Q8_0"
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
