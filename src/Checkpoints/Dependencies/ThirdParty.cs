using Fairseq2Llama.Isolation;

namespace Fairseq2Llama.Dependencies;

/// <summary>The services of Fairseq2Llama.Adapters, loaded on first use.</summary>
internal static class ThirdParty
{
    private static readonly Lazy<IThirdParty> Loaded = new(
        () => IsolatedAssemblies.Create<IThirdParty>("Fairseq2Llama.Adapters", "Fairseq2Llama.Adapters.ThirdPartyAdapters"));

    /// <inheritdoc cref="IThirdParty.TensorMath"/>
    public static ITensorMath TensorMath => Loaded.Value.TensorMath;

    public static IChecksum CreateCrc32() => Loaded.Value.CreateCrc32();

    /// <inheritdoc cref="IThirdParty.ReadYaml"/>
    public static object? ReadYaml(string text) => Loaded.Value.ReadYaml(text);
}
