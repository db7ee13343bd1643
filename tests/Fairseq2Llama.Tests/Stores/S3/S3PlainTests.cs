using System.Net;
using System.Net.Http.Headers;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>What other tests rely on: the server gives objects to everybody, and misbehaves if it is asked to.</summary>
public sealed class S3PlainTests : IDisposable
{
    private readonly S3Server _server = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly Uri _address;

    public S3PlainTests()
    {
        _server.Bucket("bucket").Put("a b/model.pt", "0123456789"u8.ToArray());
        _address = new Uri(_server.PlainAddress, "bucket/a%20b/model.pt?sig=secret");
    }

    public void Dispose()
    {
        _http.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Objects_are_read_without_a_signature()
    {
        using var head = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Head, _address));
        Assert.Equal((HttpStatusCode.OK, 10L), (head.StatusCode, head.Content.Headers.ContentLength));

        using var range = await ReadAsync(2, 4, head.Headers.ETag);
        Assert.Equal((HttpStatusCode.PartialContent, "bytes 2-4/10"), (range.StatusCode, range.Content.Headers.ContentRange!.ToString()));
        Assert.Equal("234", await range.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await ReadAsync(2, 4, new EntityTagHeaderValue("\"other\""))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync(new Uri(_server.PlainAddress, "bucket/none"))).StatusCode);
        Assert.Equal((1, 3, 3L), (_server.Count(S3Operation.PlainHead), _server.Count(S3Operation.PlainGet), _server.Calls.Single(call => call.Sent == 3).Sent));
    }

    [Fact]
    public async Task Faults_are_the_same()
    {
        _server.Fault = call => call.Number switch
        {
            1 => S3Fault.Redirect(new Uri(_server.PlainAddress, "bucket/elsewhere")),
            2 => S3Fault.Refusal(429, "TooManyRequests", TimeSpan.FromSeconds(3)),
            3 => S3Fault.WholeObject,
            4 => S3Fault.Cut(1),
            5 => S3Fault.Reset,
            _ => null,
        };

        Assert.Equal("/plain/bucket/elsewhere", (await ReadAsync(2, 4)).Headers.Location!.AbsolutePath);
        Assert.Equal(TimeSpan.FromSeconds(3), (await ReadAsync(2, 4)).Headers.RetryAfter!.Delta);
        Assert.Equal((HttpStatusCode.OK, 10L), await ReadAsync(2, 4) is var whole ? (whole.StatusCode, whole.Content.Headers.ContentLength) : default);
        await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync(2, 4));
        await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync(2, 4));
        Assert.Equal(HttpStatusCode.PartialContent, (await ReadAsync(2, 4)).StatusCode);
    }

    private Task<HttpResponseMessage> ReadAsync(long from, long to, EntityTagHeaderValue? tag = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Range = new RangeHeaderValue(from, to);

        if (tag is not null)
        {
            request.Headers.IfMatch.Add(tag);
        }

        return _http.SendAsync(request);
    }
}
