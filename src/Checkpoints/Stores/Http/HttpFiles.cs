using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Stores.Http;

/// <summary>Files below an address of a web server, to be read by ranges. Redirects are followed. What is in a folder is known where the server shows it.</summary>
/// <param name="root">The address of the server, with a slash at its end.</param>
/// <param name="query">What every request has behind a question mark, such as a signature; empty for nothing.</param>
internal sealed class HttpFiles(Uri root, string query) : IObjectClient
{
    /// <summary>One for all, because it keeps connections open. What limits the time of a request is the loop above.</summary>
    private static readonly Lazy<HttpClient> Client = new(() => new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("Fairseq2Llama", ModuleVersion.Text) } },
    });

    /// <summary>A listing of more than that is none.</summary>
    private const int MaxPageLength = 4 << 20;

    public bool CanWrite => false;

    public PartLimits Parts => throw Unwritable();

    public string AddressOf(string key) => root.GetLeftPart(UriPartial.Authority) + Uri.UnescapeDataString(root.AbsolutePath) + key;

    public async Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressFor(prefix));
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);

        if (IsTransient(response.StatusCode))
        {
            throw ErrorFor(response, prefix);
        }

        return response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == "text/html" && await TryReadPageAsync(response, cancellationToken).ConfigureAwait(false) is { } page
            ? FolderPage.Read(page, response.RequestMessage!.RequestUri!, prefix)
            : throw new StoreException(StoreFailure.Unlistable, $"The server does not show what is in '{AddressOf(prefix)}'.");
    }

    /// <summary>Asks for the first byte rather than for the head: addresses that are signed for reading allow nothing else.</summary>
    public async Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressFor(key)) { Headers = { Range = new RangeHeaderValue(0, 0) } };
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        var isFolder = response.RequestMessage!.RequestUri!.AbsolutePath.EndsWith('/');

        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone || isFolder)
        {
            return null;
        }

        var length = response.StatusCode switch
        {
            HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable => response.Content.Headers.ContentRange?.Length,
            HttpStatusCode.OK => response.Content.Headers.ContentLength,
            _ => throw ErrorFor(response, key),
        };

        return new StoredObject(key, length ?? throw new StoreException(StoreFailure.Refused, $"The server does not say how long '{AddressOf(key)}' is, which it must to be read from."), TagOf(response) ?? DateOf(response) ?? "");
    }

    public async Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressFor(source.Key)) { Headers = { Range = new RangeHeaderValue(range.Offset, range.End - 1) } };

        // A weak one meets no condition, and is compared afterwards.
        if (source.Version.StartsWith('"'))
        {
            request.Headers.TryAddWithoutValidation("If-Match", source.Version);
        }

        var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);

        try
        {
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                throw new StoreException(StoreFailure.Changed, "The file was changed or removed.");
            }

            if (!response.IsSuccessStatusCode)
            {
                throw ErrorFor(response, source.Key);
            }

            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return new RangeReply((int)response.StatusCode, response.Content.Headers.ContentRange?.ToString(), VersionOf(response, source), body);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) => throw Unwritable();

    public Task DeleteAsync(string key, string version, CancellationToken cancellationToken) => throw Unwritable();

    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken) => throw Unwritable();

    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => throw Unwritable();

    public Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken) => throw Unwritable();

    public Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken) => throw Unwritable();

    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken) => throw Unwritable();

    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken) => throw Unwritable();

    public bool CanCopyFrom(IObjectClient other) => false;

    private static async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await Client.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new StoreException(StoreFailure.Transient, $"{e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Servers do not always say how long it is.</summary>
    /// <returns>Null if it is too long to be a page that shows a folder.</returns>
    private static async Task<string?> TryReadPageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var bytes = new byte[MaxPageLength + 1];
            var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length > MaxPageLength ? null : Encoding.UTF8.GetString(bytes, 0, length);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new StoreException(StoreFailure.Transient, $"A reply of the server was interrupted: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>What a reply says of the version in the way in which it was said before: a proxy may drop an ETag, and the time of the last change is another version.</summary>
    private static string? VersionOf(HttpResponseMessage response, StoredObject source) =>
        source.Version.EndsWith('"') ? TagOf(response) : source.Version.Length > 0 ? DateOf(response) : null;

    private static string? TagOf(HttpResponseMessage response) => response.Headers.ETag?.ToString();

    /// <summary>Where there is no ETag, the time of the last change has to do.</summary>
    private static string? DateOf(HttpResponseMessage response) => response.Content.Headers.LastModified?.ToString("R", CultureInfo.InvariantCulture);

    private static bool IsTransient(HttpStatusCode status) => (int)status is 408 or 429 or 500 or > 501;

    private StoreException ErrorFor(HttpResponseMessage response, string key)
    {
        var status = (int)response.StatusCode;
        var failure = IsTransient(response.StatusCode) ? StoreFailure.Transient : status is 401 or 403 ? StoreFailure.Denied : StoreFailure.Refused;
        var answer = string.Create(CultureInfo.InvariantCulture, $"The server of '{AddressOf(key)}' answered {status} ({response.ReasonPhrase}).");
        var delay = response.Headers.RetryAfter;

        return new StoreException(failure, failure == StoreFailure.Denied ? $"{answer} Check the address, and the signature behind its question mark if it needs one." : answer)
        {
            RetryAfter = delay?.Delta ?? (delay?.Date is { } date ? date - DateTimeOffset.UtcNow : null),
        };
    }

    private static NotSupportedException Unwritable() => new("A web server can only be read from.");

    private Uri AddressFor(string key) => new(root, string.Join('/', key.Split('/').Select(Uri.EscapeDataString)) + (query.Length > 0 ? "?" + query : ""));
}
