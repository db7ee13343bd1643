namespace Fairseq2Llama.Dependencies;

/// <summary>
/// Everything this library needs of third-party packages. Implemented by Fairseq2Llama.Adapters, the only assembly that
/// references them, so that nothing outside of it can bind to another version of them by accident.
/// </summary>
internal interface IThirdParty
{
    /// <summary>Arithmetic on tensor data.</summary>
    ITensorMath TensorMath { get; }

    /// <summary>A CRC-32 as zip archives use it (polynomial 0x04C11DB7, reflected).</summary>
    IChecksum CreateCrc32();

    /// <summary>Reads a YAML document as data: no tags, no anchors, bounded in depth and size.</summary>
    /// <returns>
    /// A string for a scalar, null for an unquoted null, <see cref="IReadOnlyDictionary{TKey, TValue}"/> from string for a mapping,
    /// <see cref="IReadOnlyList{T}"/> for a sequence.
    /// </returns>
    /// <exception cref="FormatException">It is not YAML, or more than such data.</exception>
    object? ReadYaml(string text);
}
