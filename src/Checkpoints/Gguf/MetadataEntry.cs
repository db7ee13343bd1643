using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Gguf;

/// <summary>A value of the metadata of a GGUF file.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Type">Its type.</param>
/// <param name="Range">Where in the file its type and the value are.</param>
/// <param name="Value">The value if it is a number, a bool or a short text; otherwise null.</param>
internal sealed record MetadataEntry(string Key, GgufValueType Type, ByteRange Range, object? Value);
