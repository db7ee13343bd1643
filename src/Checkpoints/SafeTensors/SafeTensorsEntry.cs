using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">The key as the file has it.</param>
/// <param name="Tensor">All of a storage of its own: in this format tensors share no bytes.</param>
internal sealed record SafeTensorsEntry(string Name, TensorView Tensor);
