using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class S3Factory : IObjectClientFactory
{
    /// <inheritdoc/>
    public IObjectClient Open(Uri container, StoreAccess access) => new S3Client(new S3Connection(BucketOf(container), access));

    /// <summary>Not the host, which is in lower case; compatible stores have buckets with capitals.</summary>
    private static string BucketOf(Uri container) => container.OriginalString.Split("://", 2)[^1].Split('/')[0];
}
