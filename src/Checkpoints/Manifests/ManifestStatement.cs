using System.Collections.Immutable;
using System.Text.Json;
using Fairseq2Llama.Signing;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Manifests;

/// <summary>
/// A manifest as JSON: an in-toto Statement v1 whose subjects are the files of the checkpoint. The schema is docs/checkpoint-manifest.schema.json.
/// </summary>
internal static class ManifestStatement
{
    /// <summary>Another version of the schema is another type.</summary>
    public const string PredicateType = "https://fairseq2llama/checkpoint-manifest/v1";

    /// <summary>What names of types of this kind begin with, whatever their version.</summary>
    public const string PredicateTypes = "https://fairseq2llama/checkpoint-manifest/";

    public const string ToolName = "Fairseq2Llama";

    public static byte[] Write(CheckpointManifest manifest) => JsonConfigWriter.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("_type", InTotoStatement.Type);
        WriteFiles(json, "subject", manifest.Files);
        json.WriteString("predicateType", PredicateType);
        json.WriteStartObject("predicate");

        json.WriteStartObject("model");
        json.WriteString("name", manifest.Name);
        json.WriteString("format", $"{manifest.Format}");
        WriteDigest(json, manifest.ModelSha256);
        json.WriteEndObject();

        json.WriteStartArray("tensors");

        foreach (var tensor in manifest.Tensors)
        {
            WriteTensor(json, tensor);
        }

        json.WriteEndArray();

        if (manifest.Source is { } source)
        {
            WriteSource(json, source);
        }

        if (!manifest.Options.IsEmpty)
        {
            json.WriteStartObject("options");

            foreach (var (name, value) in manifest.Options)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteStartObject("tool");
        json.WriteString("name", ToolName);
        json.WriteString("version", manifest.ToolVersion);
        json.WriteEndObject();

        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void WriteTensor(Utf8JsonWriter json, ManifestTensor tensor)
    {
        json.WriteStartObject();
        json.WriteString("name", tensor.Name);

        if (tensor.TiedTo is { } other)
        {
            json.WriteString("tiedTo", other);
        }
        else
        {
            json.WriteString("key", tensor.Key);
            WriteNames(json, "files", tensor.Files);
        }

        json.WriteString("dtype", tensor.DType.GetTorchName());
        json.WriteStartArray("shape");

        foreach (var size in tensor.Shape.Sizes)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        WriteDigest(json, tensor.Sha256);

        if (tensor.Source is { } source)
        {
            json.WriteStartObject("source");
            json.WriteString("key", source.Key);
            WriteNames(json, "files", source.Files);
            json.WriteString("dtype", source.DType.GetTorchName());
            WriteDigest(json, source.Sha256);

            if (source.Crc32 is { } crc)
            {
                json.WriteString("crc32", crc);
            }

            WriteNames(json, "changes", source.Changes);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, ManifestSource source)
    {
        json.WriteStartObject("source");
        json.WriteString("name", source.Name);
        json.WriteString("format", $"{source.Format}");

        if (source.Address is { } address)
        {
            json.WriteString("uri", address);
        }

        WriteDigest(json, source.ModelSha256);
        WriteFiles(json, "files", source.Files);
        WriteInputs(json, source.Inputs);
        json.WriteEndObject();
    }

    private static void WriteInputs(Utf8JsonWriter json, ImmutableArray<ManifestInput> inputs)
    {
        if (inputs.IsEmpty)
        {
            return;
        }

        json.WriteStartArray("inputs");

        foreach (var input in inputs)
        {
            json.WriteStartObject();
            json.WriteString("name", input.Name);
            json.WriteString("role", $"{input.Role}");

            if (input.Weight is { } weight)
            {
                json.WriteNumber("weight", weight);
            }

            if (input.Address is { } address)
            {
                json.WriteString("uri", address);
            }

            WriteFiles(json, "files", input.Files);
            WriteInputs(json, input.Inputs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>As in-toto's resource descriptors, whose annotations can be anything.</summary>
    private static void WriteFiles(Utf8JsonWriter json, string name, IEnumerable<ManifestFile> files)
    {
        json.WriteStartArray(name);

        foreach (var file in files)
        {
            json.WriteStartObject();
            json.WriteString("name", file.Name);

            if (file.Sha256 is { } sha256)
            {
                WriteDigest(json, sha256);
            }

            json.WriteStartObject("annotations");
            json.WriteNumber("length", file.SizeInBytes);

            if (file.ETag is { } tag)
            {
                json.WriteString("etag", tag);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteDigest(Utf8JsonWriter json, string sha256)
    {
        json.WriteStartObject("digest");
        json.WriteString("sha256", sha256);
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);

        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
