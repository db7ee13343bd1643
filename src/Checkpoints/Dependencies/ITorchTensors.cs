using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Dependencies;

/// <summary>Makes tensors of TorchSharp. Implemented by Fairseq2Llama.Torch, the only assembly that references TorchSharp.</summary>
internal interface ITorchTensors
{
    /// <summary>Makes a tensor in memory.</summary>
    /// <param name="dtype">Its element type.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="fill">Puts its elements, in row-major order, into the sink that it is given.</param>
    /// <returns>A TorchSharp.torch.Tensor that belongs to the caller.</returns>
    /// <exception cref="CheckpointException">There is too little memory.</exception>
    object CreateTensor(DType dtype, TensorShape shape, Action<ChunkSink> fill);

    /// <summary>Maps a part of a file into memory, copy on write: nothing is read before it is used, and nothing written back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">Where the first element lies; a multiple of the element size.</param>
    /// <param name="tensor">Its element type, shape and strides.</param>
    /// <returns>A TorchSharp.torch.Tensor that belongs to the caller.</returns>
    /// <exception cref="CheckpointException">The file can't be mapped.</exception>
    object MapTensor(string path, long offset, TensorView tensor);
}
