using Amazon;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class S3Factory : IObjectClientFactory
{
    /// <summary>The SDK would remember for the whole process by how much a clock is wrong: the first request would fail, and all others would not.</summary>
    static S3Factory() => AWSConfigs.CorrectForClockSkew = false;

    /// <inheritdoc/>
    public IObjectClient Open(Uri container, StoreAccess access) => new S3Client(new S3Connection(BucketOf(container), access));

    /// <summary>Not the host, which is in lower case; compatible stores have buckets with capitals.</summary>
    private static string BucketOf(Uri container) => container.OriginalString.Split("://", 2)[^1].Split('/')[0];
}
