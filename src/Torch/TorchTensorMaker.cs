using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;
using static TorchSharp.torch;

namespace Fairseq2Llama.Torch;

/// <summary>Makes tensors of TorchSharp, reads them, and computes with them. The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class TorchTensorMaker : ITorchTensors
{
    /// <exception cref="CheckpointException">libtorch can't be loaded.</exception>
    public TorchTensorMaker() => LibTorch.Load();

    /// <inheritdoc/>
    public object CreateTensor(DType dtype, TensorShape shape, Action<ChunkSink> fill)
    {
        var tensor = LibTorchFailure.Translate(() => empty([.. shape.Sizes], dtype: dtype.ToScalarType()));

        try
        {
            using var flat = tensor.view(-1);
            var start = 0L;

            fill(chunk =>
            {
                // TorchSharp gives access to 2 GB at a time.
                using var part = flat.narrow(0, start, chunk.Length / dtype.GetItemSize());
                chunk.CopyTo(part.bytes);
                start += part.NumberOfElements;
            });

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public object MapTensor(string path, long offset, TensorView tensor)
    {
        var first = (offset / tensor.DType.GetItemSize()) + tensor.StorageOffset;

        return LibTorchFailure.Translate(() =>
        {
            using var file = from_file(path, shared: false, size: first + tensor.Extent, dtype: tensor.DType.ToScalarType());
            return file.as_strided([.. tensor.Shape.Sizes], [.. tensor.Strides], first);
        });
    }

    /// <inheritdoc/>
    public (DType DType, TensorShape Shape)? Describe(object tensor)
    {
        if (tensor is not Tensor value)
        {
            return null;
        }

        if (value.IsInvalid)
        {
            throw new CheckpointException(CheckpointErrorCode.LibTorchFailed, "The tensor was disposed of. Make a checkpoint tensor of it before that.");
        }

        return value.dtype.ToDType() is { } dtype
            ? (dtype, new TensorShape(value.shape))
            : throw new CheckpointException(CheckpointErrorCode.UnsupportedTensor, $"The tensor is {value.dtype}, which no checkpoint has. Convert it with to_type.");
    }

    /// <inheritdoc/>
    public void Read(object tensor, ChunkSink sink) => LibTorchFailure.Translate(() =>
    {
        const long PieceLength = 1 << 24;

        using var here = ((Tensor)tensor).detach().cpu();
        using var contiguous = here.contiguous();
        using var flat = contiguous.view(-1);

        for (var start = 0L; start < flat.NumberOfElements; start += PieceLength)
        {
            using var piece = flat.narrow(0, start, Math.Min(PieceLength, flat.NumberOfElements - start));
            sink(piece.bytes);
        }

        return true;
    });

    /// <inheritdoc/>
    public void AddProduct(ReadOnlySpan<float> left, ReadOnlySpan<float> right, float factor, Span<float> sums, int columns)
    {
        using var inference = inference_mode();
        var rank = right.Length / columns;
        using var leftMatrix = MatrixOf(left, left.Length / rank, rank);
        using var rightMatrix = MatrixOf(right, rank, columns);
        using var total = MatrixOf(sums, sums.Length / columns, columns);
        using var product = mm(leftMatrix, rightMatrix);
        product.mul_(factor);
        total.add_(product);
        MemoryMarshal.Cast<byte, float>(total.bytes).CopyTo(sums);
    }

    private static Tensor MatrixOf(ReadOnlySpan<float> numbers, int rows, int columns)
    {
        var matrix = empty(rows, columns, dtype: ScalarType.Float32);
        MemoryMarshal.AsBytes(numbers).CopyTo(matrix.bytes);
        return matrix;
    }
}
