using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors;

/// <summary>The content of the header of a safetensors file.</summary>
/// <param name="Metadata">Free text under free keys.</param>
/// <param name="Tensors">In the order of their data, and of the header where that is the same.</param>
internal sealed record SafeTensorsHeader(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<HeaderEntry> Tensors)
{
    /// <summary>The key of the metadata, which therefore is not a tensor's name.</summary>
    public const string MetadataKey = "__metadata__";

    /// <param name="file">The file's name, for messages.</param>
    /// <param name="text">The header as it lies in the file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CheckpointException">It is malformed, or names a dtype that no <see cref="DType"/> is.</exception>
    public static SafeTensorsHeader Parse(string file, ReadOnlySpan<byte> text, CancellationToken cancellationToken)
    {
        var json = new HeaderJson(file, text);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var tensors = new List<HeaderEntry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);

        json.BeginObject();

        while (json.NextKey() is { } key)
        {
            cancellationToken.ThrowIfCancellationRequested();

            if (!keys.Add(key))
            {
                throw json.Twice();
            }

            if (key == MetadataKey)
            {
                ReadMetadata(ref json, metadata);
            }
            else
            {
                RequireUsable(file, key);
                tensors.Add(HeaderEntry.Read(ref json, file, key));
            }
        }

        json.End();
        return new SafeTensorsHeader(metadata, [.. tensors.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End)]);
    }

    private static void ReadMetadata(ref HeaderJson json, Dictionary<string, string> metadata)
    {
        json.BeginObject();

        while (json.NextKey() is { } key)
        {
            if (!metadata.TryAdd(key, json.Text()))
            {
                throw json.Twice();
            }
        }
    }

    private static void RequireUsable(string file, string name)
    {
        TensorLimits.RequirePrintable(name, file);

        if (name.Length > TensorLimits.MaxNameLength)
        {
            throw CheckpointException.Corrupt(file, $"the name of a tensor has {name.Length} characters, more than {TensorLimits.MaxNameLength}.");
        }
    }
}
