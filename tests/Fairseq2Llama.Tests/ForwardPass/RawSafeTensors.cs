using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace Fairseq2Llama.Tests.ForwardPass;

/// <summary>
/// A safetensors file as its description says it is read. The module's own reader may not help here: what the module writes would be read
/// back with the same misunderstandings.
/// </summary>
internal sealed class RawSafeTensors
{
    private readonly byte[] _file;
    private readonly int _dataStart;
    private readonly JsonElement _header;

    public RawSafeTensors(string path)
    {
        _file = File.ReadAllBytes(path);
        _dataStart = sizeof(ulong) + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_file));
        _header = JsonSerializer.Deserialize<JsonElement>(_file.AsSpan(sizeof(ulong).._dataStart));
    }

    public IEnumerable<string> Names => _header.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__");

    /// <returns>In float32; it belongs to the caller.</returns>
    public Tensor Load(string name)
    {
        var entry = _header.GetProperty(name);
        var offsets = Numbers("data_offsets");
        var data = _file.AsSpan((_dataStart + (int)offsets[0])..(_dataStart + (int)offsets[1]));

        var values = entry.GetProperty("dtype").GetString() switch
        {
            "F32" => MemoryMarshal.Cast<byte, float>(data).ToArray(),
            "F16" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(data).ToArray(), value => (float)value),
            "BF16" => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(data).ToArray(), bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)),
            var other => throw new NotSupportedException($"{name} is {other}."),
        };

        return tensor(values, Numbers("shape"));

        long[] Numbers(string key) => [.. entry.GetProperty(key).EnumerateArray().Select(number => number.GetInt64())];
    }
}
