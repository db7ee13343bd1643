namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>What a pickle held.</summary>
/// <param name="Content">The object itself.</param>
/// <param name="Storages">Every storage that it names, once.</param>
/// <param name="Tensors">Every tensor in it.</param>
internal sealed record Unpickled(
    object? Content, IReadOnlyCollection<PickledStorage> Storages, IReadOnlyCollection<PickledTensor> Tensors);
