using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama;

/// <summary>Makes tensors of TorchSharp.</summary>
public static class TorchTensorConversion
{
    /// <summary>
    /// Makes a tensor that belongs to the caller. One that lies in one piece of a file is mapped into memory, copy on write: it takes no time and
    /// no memory until it is used, is not compared with its checksum, and must not outlive the file. Others are read, and merged where
    /// they are sharded.
    /// </summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="progress">Told how far reading is, on the calling thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A TorchSharp.torch.Tensor, of the TorchSharp that lies in the module.</returns>
    /// <exception cref="CheckpointException">libtorch can't be loaded, or the tensor can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static object ToTorchTensor(
        CheckpointTensor tensor, IProgress<ByteProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var torch = TorchTensors.Get();

        if (tensor is { HalfSplitHeadDim: null, Copies: [[{ Tensor: { } only }], ..] } && CanBeMapped(only))
        {
            // Nothing of the mapping says that the file has changed since its index was read.
            only.Storage.Source.Open(cancellationToken).Dispose();
            return torch.MapTensor(only.Storage.Source.Name, only.Storage.Offset, only);
        }

        using var data = new TensorData([tensor], cancellationToken);
        var numbers = tensor.ToNumbers();
        var done = 0L;

        return torch.CreateTensor(tensor.NumberDType, tensor.Shape, sink => data.Copier.Copy(numbers, chunk =>
        {
            sink(chunk);
            done += chunk.Length;
            progress?.Report(new ByteProgress(tensor.Name, done, numbers.Length));
        }, cancellationToken));
    }

    private static bool CanBeMapped(TensorView tensor) =>
        tensor.Storage is { Source: LocalFile, DeflatedLength: null, IsBigEndian: false }
        && !tensor.DType.IsQuantized()
        && tensor.Storage.Offset % tensor.DType.GetItemSize() == 0
        && tensor.Shape.ElementCount > 0;
}
