using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Dependencies;

/// <summary>Makes tensors of TorchSharp, reads them, and computes with them. Implemented by Fairseq2Llama.Torch, the only assembly that references TorchSharp.</summary>
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

    /// <summary>What a tensor of the caller is.</summary>
    /// <param name="tensor">An object of any type.</param>
    /// <returns>Null if it is no tensor of the TorchSharp that lies in the module.</returns>
    /// <exception cref="CheckpointException">It has an element type that PyTorch's checkpoints do not have, or was disposed of.</exception>
    (DType DType, TensorShape Shape)? Describe(object tensor);

    /// <summary>Gives the elements of a tensor in row-major order, whatever its strides and its device.</summary>
    /// <param name="tensor">One that <see cref="Describe"/> knows.</param>
    /// <param name="sink">Gets them.</param>
    void Read(object tensor, ChunkSink sink);

    /// <summary>Multiplies two matrices and adds the product, times a factor, to a third, all in float32.</summary>
    /// <param name="left">A matrix, row after row.</param>
    /// <param name="right">A matrix with as many rows as the left one has columns.</param>
    /// <param name="factor">The factor. The product is rounded before it is multiplied with it, and once more before it is added.</param>
    /// <param name="sums">A matrix with as many rows as the left one, and as many columns as the right one.</param>
    /// <param name="columns">How many columns the right one has.</param>
    void AddProduct(ReadOnlySpan<float> left, ReadOnlySpan<float> right, float factor, Span<float> sums, int columns);
}
