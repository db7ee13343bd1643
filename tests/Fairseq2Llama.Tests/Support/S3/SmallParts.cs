using Fairseq2Llama.S3;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>A bucket whose objects are uploaded in parts that are so small that the models of the tests have several.</summary>
internal sealed class SmallParts(IObjectClient client, bool canCopy = true) : IObjectClient
{
    /// <summary>Bytes that a part must have; the server must know it, too.</summary>
    public const int MinLength = 512;

    private readonly IObjectClient _client = client;

    public PartLimits Parts { get; } = new(MinLength, Length: 8192, MaxCopyLength: 100_000, MaxCount: 10_000);

    /// <summary>A bucket of a server.</summary>
    /// <param name="server">The server.</param>
    /// <param name="time">The clock.</param>
    /// <param name="bucket">The name of the bucket.</param>
    /// <param name="canCopy">Whether it copies inside itself.</param>
    public static RemoteStore Open(S3Server server, TimeProvider time, string bucket = "bucket", bool canCopy = true)
    {
        server.MinPartLength = MinLength;
        var access = server.Access with { RangeSize = 4096 };
        return new RemoteStore(new SmallParts(new S3Factory().Open(new Uri($"s3://{bucket}"), access), canCopy), access, time);
    }

    public string AddressOf(string key) => _client.AddressOf(key);

    public Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken) =>
        _client.ListAsync(prefix, continuation, cancellationToken);

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => _client.FindAsync(key, cancellationToken);

    public Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken) =>
        _client.ReadAsync(source, range, cancellationToken);

    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) =>
        _client.PutAsync(key, content, run, replaces, cancellationToken);

    public Task DeleteAsync(string key, string version, CancellationToken cancellationToken) => _client.DeleteAsync(key, version, cancellationToken);

    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken) => _client.BeginAsync(key, run, cancellationToken);

    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _client.UploadAsync(key, upload, number, bytes, cancellationToken);

    public Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken) =>
        _client.CopyAsync(key, upload, number, ((SmallParts)from)._client, source, range, cancellationToken);

    public Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken) =>
        _client.CompleteAsync(key, upload, run, parts, replaces, cancellationToken);

    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken) => _client.DiscardAsync(key, upload, cancellationToken);

    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken) => _client.FindUploadsAsync(key, cancellationToken);

    public bool CanCopyFrom(IObjectClient other) => canCopy && other is SmallParts { _client: var client } && _client.CanCopyFrom(client);
}
