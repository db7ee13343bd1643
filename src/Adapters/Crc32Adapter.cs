using System.IO.Hashing;
using Fairseq2Llama.Dependencies;

namespace Fairseq2Llama.Adapters;

/// <summary>CRC-32 by System.IO.Hashing, which uses the processor's carry-less multiplication.</summary>
internal sealed class Crc32Adapter : IChecksum
{
    private readonly Crc32 _crc = new();

    public void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);

    public uint GetAndReset()
    {
        var value = _crc.GetCurrentHashAsUInt32();
        _crc.Reset();
        return value;
    }
}
