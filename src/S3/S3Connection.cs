using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>Sends requests to a bucket. Settings and credentials are looked for once, when the first request needs them.</summary>
internal sealed class S3Connection
{
    private readonly StoreAccess _access;
    private readonly Lazy<AmazonS3Config> _config;
    private readonly Lazy<Task<AmazonS3Client>> _client;
    private bool _isAnonymous;
    private long _clockTicks;

    /// <param name="bucket">The name of the bucket.</param>
    /// <param name="access">Credentials and settings.</param>
    public S3Connection(string bucket, StoreAccess access)
    {
        Bucket = bucket;
        _access = access;
        _config = new Lazy<AmazonS3Config>(() => S3Settings.Of(access));
        _client = new Lazy<Task<AmazonS3Client>>(ConnectAsync);
    }

    /// <summary>The name of the bucket.</summary>
    public string Bucket { get; }

    /// <summary>
    /// Whether payloads are signed. It takes as long as another checksum, and AWS needs none: its connections are encrypted. Other stores may ignore
    /// checksums, but all of them check signatures.
    /// </summary>
    public bool SignsPayloads => Config.ServiceURL is not null;

    /// <summary>The time by the clock of the store, as its last reply said.</summary>
    public DateTime StoreTime => DateTime.UtcNow + TimeSpan.FromTicks(Volatile.Read(ref _clockTicks));

    private AmazonS3Config Config => _config.Value;

    private string Region => Config.RegionEndpoint?.SystemName ?? Config.AuthenticationRegion;

    /// <summary>Sends a request.</summary>
    /// <param name="key">The key that it is about, for messages; empty if it is about the bucket.</param>
    /// <param name="send">Sends it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<T> SendAsync<T>(string key, Func<AmazonS3Client, Task<T>> send, CancellationToken cancellationToken)
    {
        RequireAddressable(key);

        try
        {
            var client = await _client.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await send(client).ConfigureAwait(false);
        }
        catch (Exception e) when (S3Errors.IsFailure(e, cancellationToken))
        {
            throw S3Errors.Explain(e, new S3ErrorContext(Bucket, AddressOf(key), Region, _isAnonymous));
        }
    }

    /// <summary>The address of a key in messages.</summary>
    public string AddressOf(string key) => key.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{key}";

    /// <summary>Whether another bucket is reached in the same way, so that the store can copy from there.</summary>
    public bool IsSameService(S3Connection other) =>
        Config.ServiceURL == other.Config.ServiceURL && Region == other.Region && _access.ProfileName == other._access.ProfileName;

    /// <summary>The SDK leaves out one of two slashes between bucket and key, and would ask for another key.</summary>
    private void RequireAddressable(string key)
    {
        if (Config.ForcePathStyle && key.StartsWith('/'))
        {
            throw new StoreException(StoreFailure.Refused, $"'{AddressOf(key)}' begins with a slash, which works only at AWS itself. Use another name.");
        }
    }

    private async Task<AmazonS3Client> ConnectAsync()
    {
        var credentials = await S3Credentials.FindAsync(_access.ProfileName).ConfigureAwait(false);
        _isAnonymous = credentials is AnonymousAWSCredentials;
        var client = new AmazonS3Client(credentials, Config);
        client.AfterResponseEvent += SetClock;
        return client;
    }

    private void SetClock(object sender, ResponseEventArgs e)
    {
        if (e is WebServiceResponseEventArgs reply && reply.ResponseHeaders.TryGetValue("Date", out var date)
            && DateTime.TryParseExact(date, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
        {
            Volatile.Write(ref _clockTicks, (time - DateTime.UtcNow).Ticks);
        }
    }
}
