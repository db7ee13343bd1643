namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A request that has come.</summary>
/// <param name="Operation">What it asks for.</param>
/// <param name="Method">The method of HTTP.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Key">The key; the prefix, if it lists.</param>
/// <param name="Number">The how manieth of this operation on this key it is; 1 for the first.</param>
/// <param name="Target">The path and query as they were sent.</param>
internal sealed record S3Call(S3Operation Operation, string Method, string Bucket, string Key, int Number, string Target)
{
    private long _received;
    private long _sent;

    /// <summary>The names and values of its headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The bytes of its body.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>The bytes of the reply's body.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public void AddReceived(long count) => Interlocked.Add(ref _received, count);

    public void AddSent(long count) => Interlocked.Add(ref _sent, count);
}
