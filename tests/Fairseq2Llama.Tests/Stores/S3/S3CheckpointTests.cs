using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <inheritdoc/>
public sealed class S3CheckpointTests : AddressedCheckpointTests
{
    private readonly S3Server _server = new();

    private protected override CheckpointAddress At(string key) => new($"s3://bucket/{key}", _server.Access);

    private protected override void Put(string key, byte[] bytes) => _server.Bucket("bucket").Put(key, bytes);

    private protected override IReadOnlyDictionary<string, byte[]> FilesIn(string key) => _server.Bucket("bucket").Objects
        .Where(item => item.Key.StartsWith(key + '/', StringComparison.Ordinal)).ToDictionary(item => item.Key[(key.Length + 1)..], item => item.Value.Bytes);

    public override void Dispose()
    {
        _server.Dispose();
        base.Dispose();
    }
}
