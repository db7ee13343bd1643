namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>Takes bytes one after the other, on one thread at a time.</summary>
internal interface IHashTarget
{
    void Append(ReadOnlySpan<byte> bytes);
}
