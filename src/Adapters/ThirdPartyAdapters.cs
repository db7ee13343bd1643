using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Adapters;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class ThirdPartyAdapters : IThirdParty
{
    /// <inheritdoc/>
    public ITensorMath TensorMath { get; } = new TensorMathAdapter();

    /// <inheritdoc/>
    public IChecksum CreateCrc32() => new Crc32Adapter();

    /// <inheritdoc/>
    public object? ReadYaml(string text) => YamlAdapter.Read(text);
}
