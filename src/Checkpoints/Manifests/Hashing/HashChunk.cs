namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>Bytes that several lanes hash.</summary>
/// <param name="bytes">They, and room behind them.</param>
/// <param name="release">Called when nobody needs them any more.</param>
internal sealed class HashChunk(byte[] bytes, Action release) : IDisposable
{
    private int _users = 1;

    public ReadOnlySpan<byte> this[Range range] => bytes.AsSpan(range);

    /// <summary>Adds somebody who will dispose of it, too.</summary>
    public HashChunk Share()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            release();
        }
    }
}
