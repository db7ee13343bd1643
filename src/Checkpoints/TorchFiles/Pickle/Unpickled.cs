namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>What a pickle held.</summary>
/// <param name="Content">The object itself.</param>
/// <param name="Storages">Every storage that it names, once.</param>
/// <param name="Tensors">Every tensor in it.</param>
/// <param name="ByteCount">Bytes of the pickle, up to and with its STOP.</param>
internal sealed record Unpickled(
    object? Content, IReadOnlyCollection<PickledStorage> Storages, IReadOnlyCollection<PickledTensor> Tensors, int ByteCount);
