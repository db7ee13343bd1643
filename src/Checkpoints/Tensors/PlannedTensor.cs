namespace Fairseq2Llama.Tensors;

/// <summary>A tensor of a file to be written.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="SourceName">Its name in the checkpoint, or what it is made of.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Storage">Its bytes, which lie there in row-major order.</param>
internal sealed record PlannedTensor(string Name, string SourceName, DType DType, TensorShape Shape, PlannedStorage Storage);
