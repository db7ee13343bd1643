using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors;

/// <summary>The entry of a tensor in a header, not yet checked against the file.</summary>
/// <param name="Name">The key as the file has it.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Size along each dimension; its row-major strides fit 64 bits.</param>
/// <param name="Begin">Where its data starts, in bytes from the end of the header.</param>
/// <param name="End">Where its data ends; not before <paramref name="Begin"/>.</param>
internal sealed record HeaderEntry(string Name, DType DType, TensorShape Shape, long Begin, long End)
{
    private const string DTypeKey = "dtype", ShapeKey = "shape", OffsetsKey = "data_offsets";

    /// <exception cref="CheckpointException">It is malformed, or its dtype is none of ours.</exception>
    public static HeaderEntry Read(ref HeaderJson json, string file, string name)
    {
        string? dtype = null;
        IReadOnlyList<long>? shape = null, offsets = null;

        json.BeginObject();

        while (json.NextKey() is { } key)
        {
            switch (key)
            {
                case DTypeKey when dtype is null:
                    dtype = json.Text();
                    break;
                case ShapeKey when shape is null:
                    shape = json.Numbers();
                    break;
                case OffsetsKey when offsets is null:
                    offsets = json.Numbers();
                    break;
                case DTypeKey or ShapeKey or OffsetsKey:
                    throw json.Twice();
                default:
                    // The reference implementation skips what it does not know, so a file may have more.
                    json.Skip();
                    break;
            }
        }

        if (dtype is null || shape is null || offsets is null)
        {
            var missing = dtype is null ? DTypeKey : shape is null ? ShapeKey : OffsetsKey;
            throw CheckpointException.Corrupt(file, $"its header has no '{missing}' for '{name}'.");
        }

        var (begin, end) = Range(file, name, offsets);
        return new HeaderEntry(name, KnownDType(file, name, dtype), PossibleShape(file, name, shape), begin, end);
    }

    private static (long Begin, long End) Range(string file, string name, IReadOnlyList<long> offsets)
    {
        if (offsets.Count != 2)
        {
            throw CheckpointException.Corrupt(
                file, $"its header has {offsets.Count} '{OffsetsKey}' for '{name}'; expected two, begin and end.");
        }

        return offsets[0] <= offsets[1]
            ? (offsets[0], offsets[1])
            : throw CheckpointException.Corrupt(
                file, $"the data of '{name}' begins at {offsets[0]} and ends before that, at {offsets[1]}.");
    }

    private static DType KnownDType(string file, string name, string dtype)
    {
        if (DTypeInfo.OfSafeTensors(dtype) is { } known)
        {
            return known.DType;
        }

        var names = string.Join(", ", DTypeInfo.Known.Select(info => info.SafeTensorsName).OfType<string>());
        throw Unsupported(file, $"holds '{name}' as {dtype}. Expected one of {names}.");
    }

    private static TensorShape PossibleShape(string file, string name, IReadOnlyList<long> sizes)
    {
        if (sizes.Count > TensorLimits.MaxDims)
        {
            throw Unsupported(file, $"holds '{name}' with {sizes.Count} dimensions; PyTorch has at most {TensorLimits.MaxDims}.");
        }

        try
        {
            var shape = new TensorShape([.. sizes]);

            // Where a size is 0 the strides can be too large although the number of elements is not.
            _ = shape.RowMajorStrides();
            return shape;
        }
        catch (OverflowException)
        {
            throw CheckpointException.Corrupt(file, $"'{name}' should have the shape {string.Join('x', sizes)}, which can't exist.");
        }
    }

    private static CheckpointException Unsupported(string file, string what) =>
        new(CheckpointErrorCode.UnsupportedTensor, $"'{file}' {what}", file);
}
