using System.Text;
using System.Text.Json;
using Fairseq2Llama.SafeTensors.Writing;

namespace Fairseq2Llama.Tests.Support;

/// <summary>
/// A safetensors file taken apart by hand: the module's own reader could share a misunderstanding with the writer, and is more tolerant than the
/// format's rules for those who write.
/// </summary>
internal sealed class WrittenSafeTensors
{
    public WrittenSafeTensors(byte[] file)
    {
        for (var i = 0; i < 8; i++)
        {
            HeaderLength |= (long)file[i] << (8 * i);
        }

        Header = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file, 8, (int)HeaderLength);
        Data = file[(8 + (int)HeaderLength)..];

        // Unlike a dictionary it keeps the order of keys, and one that is there twice.
        Keys = [.. JsonSerializer.Deserialize<JsonElement>(Header).EnumerateObject()];
    }

    public long HeaderLength { get; }

    /// <summary>With the spaces that follow it.</summary>
    public string Header { get; }

    public byte[] Data { get; }

    /// <summary>Everything that the header has, in its order.</summary>
    public IReadOnlyList<JsonProperty> Keys { get; }

    /// <summary>The tensors of the header, in its order.</summary>
    public IReadOnlyList<WrittenEntry> Tensors =>
    [
        .. from key in Keys
           where key.Name != "__metadata__"
           let offsets = Numbers(key.Value, "data_offsets")
           select new WrittenEntry(key.Name, key.Value.GetProperty("dtype").GetString()!, Numbers(key.Value, "shape"), offsets[0], offsets[1]),
    ];

    /// <summary>Writes tensors as an export does.</summary>
    public static WrittenSafeTensors Of(params IEnumerable<PlannedTensor> tensors)
    {
        using var folder = new TempFolder();
        return new WrittenSafeTensors(File.ReadAllBytes(TensorFiles.Write(Plan(tensors), folder)));
    }

    public static PlannedTensorFile Plan(params IEnumerable<PlannedTensor> tensors) => new("model.safetensors", new SafeTensorsContainer(SafeTensorsContainer.PyTorchMetadata), tensors);

    public byte[] DataOf(WrittenEntry entry) => Data[(int)entry.Begin..(int)entry.End];

    private static long[] Numbers(JsonElement entry, string key) => [.. entry.GetProperty(key).EnumerateArray().Select(number => number.GetInt64())];
}

internal sealed record WrittenEntry(string Name, string DType, IReadOnlyList<long> Shape, long Begin, long End);
