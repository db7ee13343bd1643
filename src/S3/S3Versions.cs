using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>Knows which versions are there, for stores that do not understand the condition of a request, or ignore it.</summary>
internal sealed class S3Versions(S3Connection connection)
{
    private volatile bool _areUnquoted;

    /// <inheritdoc cref="IObjectClient.FindAsync"/>
    public async Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var request = new GetObjectMetadataRequest { BucketName = connection.Bucket, Key = key };
            var reply = await connection.SendAsync(key, client => client.GetObjectMetadataAsync(request, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            var age = connection.StoreTime - reply.LastModified?.ToUniversalTime();

            return new StoredObject(key, reply.ContentLength, EntityTag.Require(reply.ETag, connection.AddressOf(key)))
            {
                Run = reply.Metadata[S3Client.RunMetadata],
                Age = age > TimeSpan.Zero ? age.Value : TimeSpan.Zero,
            };
        }
        catch (StoreException e) when (e.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    /// <summary>Asks which version is there.</summary>
    /// <param name="key">The key of the object.</param>
    /// <param name="version">The expected version; null if no object may be there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="StoreException"><see cref="StoreFailure.Changed"/> if another one is there.</exception>
    public async Task RequireAsync(string key, string? version, CancellationToken cancellationToken)
    {
        if ((await FindAsync(key, cancellationToken).ConfigureAwait(false))?.Version != version)
        {
            var words = version is null ? "is there already" : "has another version, or is gone";
            throw new StoreException(StoreFailure.Changed, $"'{connection.AddressOf(key)}' {words}.");
        }
    }

    /// <summary>Sends a request whose condition is a version. Ceph compares it without the quotation marks, which HTTP requires.</summary>
    /// <param name="key">The key of the object.</param>
    /// <param name="version">The version; null for a request with another condition.</param>
    /// <param name="send">Sends the request with the version as the store writes it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<T> SendAsync<T>(string key, string? version, Func<string?, Task<T>> send, CancellationToken cancellationToken)
    {
        if (!_areUnquoted)
        {
            try
            {
                return await send(version).ConfigureAwait(false);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Changed && version is not null)
            {
                if ((await FindAsync(key, cancellationToken).ConfigureAwait(false))?.Version != version)
                {
                    throw;
                }
            }
        }

        var reply = await send(version?.Trim('"')).ConfigureAwait(false);
        _areUnquoted = true;
        return reply;
    }
}
