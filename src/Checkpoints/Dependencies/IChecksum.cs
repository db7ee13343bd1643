namespace Fairseq2Llama.Dependencies;

/// <summary>A running checksum over bytes that come in pieces.</summary>
internal interface IChecksum
{
    /// <summary>Adds bytes.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The checksum of everything since the last call, and a fresh start.</summary>
    uint GetAndReset();
}
