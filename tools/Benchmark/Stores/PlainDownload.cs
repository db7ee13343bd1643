using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Benchmark.Stores;

/// <summary>
/// The fastest way to get all bytes of an object with a client: as many requests at once as the library makes, and as large; what comes is discarded
/// and nothing is checked.
/// </summary>
internal static class PlainDownload
{
    private const int BufferLength = 128 << 10;

    public static void Run(IObjectClient client, string key)
    {
        var found = client.FindAsync(key, CancellationToken.None).GetAwaiter().GetResult() ?? throw new BenchmarkException($"There is no object '{key}'.");
        var size = StoreAccess.Default.RangeSize;
        var ranges = Enumerable.Range(0, (int)((found.Length + size - 1) / size))
            .Select(index => new ByteRange((long)index * size, Math.Min(size, found.Length - ((long)index * size))));

        Parallel.ForEachAsync(
            ranges,
            new ParallelOptions { MaxDegreeOfParallelism = StoreAccess.Default.ThrottleLimit },
            async (range, cancellationToken) =>
            {
                using var reply = await client.ReadAsync(found, range, cancellationToken);
                var buffer = new byte[BufferLength];
                var rest = range.Length;

                while (rest > 0)
                {
                    var count = await reply.Body.ReadAsync(buffer, cancellationToken);
                    rest -= count > 0 ? count : throw new BenchmarkException($"The server sent too little of '{key}'.");
                }
            }).GetAwaiter().GetResult();
    }
}
