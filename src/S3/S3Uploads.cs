using Amazon.S3;
using Amazon.S3.Model;
using Fairseq2Llama.Stores.Objects;
using ByteRange = Fairseq2Llama.Stores.ByteRange;

namespace Fairseq2Llama.S3;

/// <summary>Uploads in parts.</summary>
internal sealed class S3Uploads(S3Connection connection)
{
    internal const string ContentType = "application/octet-stream";

    /// <inheritdoc cref="IObjectClient.BeginAsync"/>
    public async Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            ContentType = ContentType,
            ChecksumAlgorithm = ChecksumAlgorithm.CRC32,
            Metadata = { [S3Client.RunMetadata] = run },
        };

        var reply = await connection.SendAsync(key, client => client.InitiateMultipartUploadAsync(request, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return reply.UploadId;
    }

    /// <inheritdoc cref="IObjectClient.UploadAsync"/>
    public async Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var checksum = Payload.ChecksumOf(bytes.Span);
        var request = new UploadPartRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            UploadId = upload,
            PartNumber = number,
            PartSize = bytes.Length,
            InputStream = Payload.StreamOf(bytes),
            ChecksumCRC32 = checksum,
            DisablePayloadSigning = !connection.SignsPayloads,
            UseChunkEncoding = false,
        };

        var reply = await connection.SendAsync(key, client => client.UploadPartAsync(request, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        return new PartToken(EntityTag.Require(reply.ETag, connection.AddressOf(key)), checksum).ToString();
    }

    /// <inheritdoc cref="IObjectClient.CopyAsync"/>
    public async Task<string?> CopyAsync(
        string key, string upload, int number, string bucket, StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        var request = new CopyPartRequest
        {
            DestinationBucket = connection.Bucket,
            DestinationKey = key,
            UploadId = upload,
            PartNumber = number,
            SourceBucket = bucket,
            SourceKey = source.Key,
            FirstByte = range.Offset,
            LastByte = range.End - 1,
            ETagToMatch = [source.Version],
        };

        try
        {
            var reply = await connection.SendAsync(key, client => client.CopyPartAsync(request, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            return new PartToken(EntityTag.Require(reply.ETag, connection.AddressOf(key)), reply.ChecksumCRC32).ToString();
        }
        catch (StoreException e) when (S3Errors.IsNotImplemented(e) || S3Errors.IsInvalid(e))
        {
            // S3 itself copies no ranges of objects that are as small as the smallest part.
            return null;
        }
    }

    /// <inheritdoc cref="IObjectClient.CompleteAsync"/>
    public async Task<string> CompleteAsync(
        string key, string upload, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            UploadId = upload,
            PartETags = [.. parts.Select(Describe)],
            IfNoneMatch = replaces is null ? "*" : null,
            IfMatch = replaces,
        };

        try
        {
            var reply = await connection.SendAsync(key, client => client.CompleteMultipartUploadAsync(request, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            return EntityTag.Parse(reply.ETag) ?? throw NoUpload(key);
        }
        catch (StoreException e) when (S3Errors.IsNoUpload(e))
        {
            throw NoUpload(key, e);
        }
    }

    /// <inheritdoc cref="IObjectClient.DiscardAsync"/>
    public async Task DiscardAsync(string key, string upload, CancellationToken cancellationToken)
    {
        var request = new AbortMultipartUploadRequest { BucketName = connection.Bucket, Key = key, UploadId = upload };

        try
        {
            await connection.SendAsync(key, client => client.AbortMultipartUploadAsync(request, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (StoreException e) when (S3Errors.IsNoUpload(e))
        {
            // It has left no parts.
        }
    }

    /// <inheritdoc cref="IObjectClient.FindUploadsAsync"/>
    public async Task<IReadOnlyList<string>> FindAsync(string key, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        var request = new ListMultipartUploadsRequest { BucketName = connection.Bucket, Prefix = key };

        while (true)
        {
            var reply = await connection.SendAsync(key, client => client.ListMultipartUploadsAsync(request, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            found.AddRange(from upload in reply.MultipartUploads ?? [] where upload.Key == key select upload.UploadId);

            if (reply.IsTruncated != true)
            {
                return found;
            }

            (request.KeyMarker, request.UploadIdMarker) = (reply.NextKeyMarker, reply.NextUploadIdMarker);
        }
    }

    /// <summary>Where an earlier request has completed it and its reply was lost, the object that is there tells. Ceph then gives no version.</summary>
    private StoreException NoUpload(string key, Exception? cause = null) => new(
        StoreFailure.Changed, $"The upload of '{connection.AddressOf(key)}' is complete already, or was discarded.", cause);

    private static PartETag Describe(UploadedPart part)
    {
        var token = PartToken.Parse(part.Token);
        return new PartETag { PartNumber = part.Number, ETag = token.Tag, ChecksumCRC32 = token.Checksum };
    }
}
