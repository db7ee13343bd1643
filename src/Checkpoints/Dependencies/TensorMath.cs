namespace Fairseq2Llama.Dependencies;

/// <summary>Arithmetic by TorchSharp, loaded on first use: everything that does no arithmetic works where libtorch can't be loaded.</summary>
internal static class TensorMath
{
    private static readonly object Loading = new();
    private static ITensorMath? _loaded;

    /// <exception cref="CheckpointException">
    /// libtorch can't be loaded (<see cref="CheckpointErrorCode.LibTorchUnavailable"/>). It is tried again the next time.
    /// </exception>
    public static ITensorMath Get()
    {
        lock (Loading)
        {
            return _loaded ??= IsolatedAssemblies.Create<ITensorMath>("Fairseq2Llama.Torch", "Fairseq2Llama.Torch.TorchMath");
        }
    }
}
