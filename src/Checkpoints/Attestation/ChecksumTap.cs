using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Manifests.Hashing;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Attestation;

/// <summary>Compares a storage that passes by with the CRC-32 that its file has of it: a manifest must not vouch for damage.</summary>
internal sealed class ChecksumTap(StoredBytes storage) : IHashTarget
{
    private readonly IChecksum _crc = ThirdParty.CreateCrc32();

    public FileTap Tap => new(storage.Offset, storage.Length, this, IsOfInput: true);

    public void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);

    /// <exception cref="CheckpointException">It is damaged.</exception>
    public void Require()
    {
        if (_crc.GetAndReset() != storage.Crc32)
        {
            throw ChecksumMismatch.Of(storage.Source.Name, storage.Record);
        }
    }
}
