using Fairseq2Llama.Isolation;

namespace Fairseq2Llama.Dependencies;

/// <summary>The services of Fairseq2Llama.Torch, loaded on first use, so that everything else works if libtorch can't be loaded.</summary>
internal static class TorchTensors
{
    private static readonly object Loading = new();
    private static ITorchTensors? _loaded;

    /// <exception cref="CheckpointException">
    /// libtorch can't be loaded (<see cref="CheckpointErrorCode.LibTorchUnavailable"/>). It is tried again the next time.
    /// </exception>
    public static ITorchTensors Get()
    {
        lock (Loading)
        {
            return _loaded ??= IsolatedAssemblies.Create<ITorchTensors>("Fairseq2Llama.Torch", "Fairseq2Llama.Torch.TorchTensorMaker");
        }
    }
}
