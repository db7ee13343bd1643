using Amazon.S3.Model;
using Fairseq2Llama.Stores.Objects;
using ByteRange = Fairseq2Llama.Stores.ByteRange;

namespace Fairseq2Llama.S3;

/// <summary>A bucket of S3, or of a store that speaks its protocol.</summary>
internal sealed class S3Client(S3Connection connection) : IObjectClient
{
    /// <summary>The key of the metadata in which an object carries the id of the export that wrote it.</summary>
    internal const string RunMetadata = "fairseq2llamarun";

    private readonly S3Versions _versions = new(connection);
    private readonly S3Uploads _uploads = new(connection);

    /// <inheritdoc/>
    public PartLimits Parts { get; } = new(MinLength: 5 << 20, Length: 8 << 20, MaxCopyLength: 1 << 30, MaxCount: 10_000);

    internal S3Connection Connection => connection;

    /// <inheritdoc/>
    public string AddressOf(string key) => connection.AddressOf(key);

    /// <inheritdoc/>
    public async Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = connection.Bucket, Prefix = prefix, Delimiter = "/", ContinuationToken = continuation };
        var reply = await connection.SendAsync(prefix, client => client.ListObjectsV2Async(request, cancellationToken), cancellationToken)
            .ConfigureAwait(false);

        // An empty object whose key is the prefix is what some programs make to show a folder.
        return new ObjectPage(
            [.. from found in reply.S3Objects ?? [] where found.Key != prefix select Describe(found)],
            reply.CommonPrefixes ?? [],
            reply.IsTruncated == true ? reply.NextContinuationToken : null);
    }

    /// <inheritdoc/>
    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => _versions.FindAsync(key, cancellationToken);

    /// <inheritdoc/>
    public async Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest
        {
            BucketName = connection.Bucket,
            Key = source.Key,
            ByteRange = new Amazon.S3.Model.ByteRange(range.Offset, range.End - 1),
            EtagToMatch = source.Version,
        };

        var reply = await connection.SendAsync(source.Key, client => client.GetObjectAsync(request, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return new RangeReply((int)reply.HttpStatusCode, reply.ContentRange, EntityTag.Parse(reply.ETag), reply.ResponseStream);
    }

    /// <inheritdoc/>
    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) =>
        _versions.SendAsync(key, replaces, version => PutOverAsync(key, content, run, version, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(string key, string version, CancellationToken cancellationToken)
    {
        // Many stores ignore the condition of a deletion, and some refuse it.
        await _versions.RequireAsync(key, version, cancellationToken).ConfigureAwait(false);

        try
        {
            await DeleteAsync(new DeleteObjectRequest { BucketName = connection.Bucket, Key = key, IfMatch = version }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (StoreException e) when (S3Errors.IsNotImplemented(e))
        {
            await DeleteAsync(new DeleteObjectRequest { BucketName = connection.Bucket, Key = key }, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken) => _uploads.BeginAsync(key, run, cancellationToken);

    /// <inheritdoc/>
    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _uploads.UploadAsync(key, upload, number, bytes, cancellationToken);

    /// <inheritdoc/>
    public async Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        // Ceph decodes the name of the source twice, and would copy another object.
        if (!CanCopyFrom(from) || Uri.UnescapeDataString(source.Key) != source.Key)
        {
            return null;
        }

        var bucket = (S3Client)from;
        string? part = null;

        try
        {
            part = await _uploads.CopyAsync(key, upload, number, bucket.Connection.Bucket, source, range, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Changed)
        {
            // What is there in spite of that can't be copied.
        }

        // Ceph ignores the condition. What is unchanged now was unchanged when it was copied.
        await bucket._versions.RequireAsync(source.Key, source.Version, cancellationToken).ConfigureAwait(false);
        return part;
    }

    /// <inheritdoc/>
    public async Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken)
    {
        // Ceph 18 ignores the condition.
        await _versions.RequireAsync(key, replaces, cancellationToken).ConfigureAwait(false);

        return await _versions.SendAsync(key, replaces, version => _uploads.CompleteAsync(key, upload, parts, version, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken) => _uploads.DiscardAsync(key, upload, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken) => _uploads.FindAsync(key, cancellationToken);

    /// <inheritdoc/>
    public bool CanCopyFrom(IObjectClient other) => other is S3Client client && connection.IsSameService(client.Connection);

    private static StoredObject Describe(S3Object found) => new(found.Key, found.Size ?? 0, EntityTag.Parse(found.ETag) ?? "");

    private async Task<string> PutOverAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken)
    {
        var request = new PutObjectRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            ContentType = S3Uploads.ContentType,
            InputStream = Payload.StreamOf(content),
            ChecksumCRC32 = Payload.ChecksumOf(content.Span),
            DisablePayloadSigning = !connection.SignsPayloads,
            UseChunkEncoding = false,
            IfNoneMatch = replaces is null ? "*" : null,
            IfMatch = replaces,
            Metadata = { [RunMetadata] = run },
        };

        var reply = await connection.SendAsync(key, client => client.PutObjectAsync(request, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return EntityTag.Require(reply.ETag, AddressOf(key));
    }

    private Task<DeleteObjectResponse> DeleteAsync(DeleteObjectRequest request, CancellationToken cancellationToken) =>
        connection.SendAsync(request.Key, client => client.DeleteObjectAsync(request, cancellationToken), cancellationToken);
}
