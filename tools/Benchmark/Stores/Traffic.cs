namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>What a server was asked.</summary>
/// <param name="Requests">How often.</param>
/// <param name="Received">Bytes of the bodies that it received.</param>
/// <param name="Sent">Bytes of the bodies that it sent.</param>
internal readonly record struct Traffic(long Requests, long Received, long Sent)
{
    public static Traffic operator +(Traffic one, Traffic other) =>
        new(one.Requests + other.Requests, one.Received + other.Received, one.Sent + other.Sent);
}
