using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.SafeTensors.Writing;

/// <summary>Writes the header as the format's reference implementation (safetensors' tensor.rs) does, but for some characters in names that are escaped here.</summary>
internal static class HeaderWriter
{
    /// <summary>With spaces after it the header is a multiple of this, so that the data behind it is aligned.</summary>
    private const int Alignment = 8;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="metadata">Text under free keys.</param>
    /// <param name="tensors">In the order of their data, which follows each other without gaps.</param>
    /// <exception cref="CheckpointException">The format has no name for the type of one, or has its name for something else.</exception>
    public static byte[] Write(IReadOnlyDictionary<string, string> metadata, IEnumerable<PlannedTensor> tensors)
    {
        var buffer = new ArrayBufferWriter<byte>();

        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();

            json.WriteStartObject(SafeTensorsHeader.MetadataKey);

            foreach (var (key, text) in metadata)
            {
                json.WriteString(key, text);
            }

            json.WriteEndObject();

            var begin = 0L;

            foreach (var tensor in tensors)
            {
                WriteTensor(json, tensor, begin);
                begin += tensor.Storage.Length;
            }

            json.WriteEndObject();
        }

        var padding = (Alignment - (buffer.WrittenCount % Alignment)) % Alignment;
        buffer.Write("       "u8[..padding]);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteTensor(Utf8JsonWriter json, PlannedTensor tensor, long begin)
    {
        if (tensor.Name == SafeTensorsHeader.MetadataKey)
        {
            throw Unsupported(tensor, $"would be named '{tensor.Name}', which has another meaning in safetensors files");
        }

        json.WriteStartObject(tensor.Name);
        json.WriteString(
            "dtype",
            DTypeInfo.Of(tensor.DType).SafeTensorsName ?? throw Unsupported(tensor, $"is {tensor.DType.GetTorchName()}, which safetensors files can't hold"));
        json.WriteStartArray("shape");

        foreach (var size in tensor.Shape.Sizes)
        {
            json.WriteNumberValue(size);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(begin + tensor.Storage.Length);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static CheckpointException Unsupported(PlannedTensor tensor, string why) =>
        new(CheckpointErrorCode.UnsupportedTensor, $"'{tensor.SourceName}' {why}. Filter it out.", tensor.SourceName);
}
