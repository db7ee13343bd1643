using Fairseq2Llama.S3;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>
/// A bucket in a store that others have made, at the address in <c>FAIRSEQ2LLAMA_S3</c>, with the access key in the variables of the AWS SDK.
/// Without it such tests are skipped. What they write is removed in the end.
/// </summary>
public sealed class RealS3 : IAsyncDisposable
{
    private readonly Lazy<(Uri Bucket, StoreAccess Access)> _place = new(Find);
    private readonly string _prefix = $"fairseq2llama-tests-{Guid.NewGuid():N}/";
    private int _count;

    /// <summary>The address of the bucket.</summary>
    public Uri Bucket => _place.Value.Bucket;

    /// <summary>How it is accessed.</summary>
    internal StoreAccess Access => _place.Value.Access;

    /// <summary>A prefix that no other test uses.</summary>
    public string NewPrefix() => $"{_prefix}{Interlocked.Increment(ref _count)}/";

    public ValueTask DisposeAsync() => _place.IsValueCreated ? new ValueTask(RemoveAsync(Open(), _prefix)) : ValueTask.CompletedTask;

    /// <summary>The bucket, as another process sees it.</summary>
    internal IObjectClient Open() => new S3Factory().Open(Bucket, Access);

    private static async Task RemoveAsync(IObjectClient client, string prefix)
    {
        string? next = null;

        do
        {
            var page = await client.ListAsync(prefix, next, CancellationToken.None);
            await Parallel.ForEachAsync(page.Objects, async (found, token) => await client.DeleteAsync(found.Key, found.Version, token));
            await Parallel.ForEachAsync(page.Prefixes, async (below, _) => await RemoveAsync(client, below));
            next = page.Continuation;
        }
        while (next is not null);
    }

    private static (Uri Bucket, StoreAccess Access) Find()
    {
        CategoryAttribute.Require();
        var text = Environment.GetEnvironmentVariable("FAIRSEQ2LLAMA_S3");
        Assert.SkipUnless(
            Uri.TryCreate(text, UriKind.Absolute, out var address), "needs FAIRSEQ2LLAMA_S3 to name a bucket of a store, such as the one that tests/start-ceph.sh makes");
        S3Profiles.Use();
        return (new Uri($"s3://{address!.Segments[^1]}"), new StoreAccess { EndpointUrl = new Uri(address, "/"), ProfileName = S3Profiles.Real });
    }
}
