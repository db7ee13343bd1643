using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Tensors;
using static TorchSharp.torch;

namespace Fairseq2Llama.Torch;

/// <summary>Makes tensors of TorchSharp. The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
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
}
