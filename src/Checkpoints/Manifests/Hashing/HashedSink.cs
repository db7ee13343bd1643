using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>Hashes a file while it is written. Its frame may come before the data around it; all data has to come in its order.</summary>
/// <param name="file">The file.</param>
/// <param name="hash">The hash of it.</param>
internal sealed class HashedSink(IFileSink file, FileHash hash) : IFileSink
{
    private readonly Dictionary<long, byte[]> _ahead = [];

    public bool PrefersOrder => true;

    public bool IsSequential => true;

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        file.Write(bytes, offset);
        Observe(bytes, offset);
    }

    public void Observe(ReadOnlySpan<byte> bytes, long offset)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (offset != hash.Position)
        {
            _ahead.Add(offset, bytes.ToArray());
            return;
        }

        hash.Append(bytes);

        while (_ahead.Remove(hash.Position, out var next))
        {
            hash.Append(next);
        }
    }

    public bool TryShare(IByteReader source, long origin, long length, long offset) => file.TryShare(source, origin, length, offset);

    public void Complete() => file.Complete();

    public void Dispose() => file.Dispose();
}
