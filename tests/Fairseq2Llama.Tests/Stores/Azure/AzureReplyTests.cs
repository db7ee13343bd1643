using System.Net;
using System.Net.Http.Headers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>What a server may say that Azurite does not.</summary>
public sealed class AzureReplyTests
{
    private static readonly StoredObject Source = new("key", 10, "\"0x1\"");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reply_with_the_whole_object_is_handed_up_as_it_is()
    {
        using var azure = new FakeAzure(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("0123456789") });

        using var reply = await azure.Open(signature: "sig=1").ReadAsync(Source, new ByteRange(2, 3), Token);
        using var reader = new StreamReader(reply.Body);

        Assert.Equal((200, null, null), (reply.Status, reply.ContentRange, reply.Version));
        Assert.Equal("0123456789", await reader.ReadToEndAsync(Token));
        var request = Assert.Single(azure.Requests);
        Assert.Equal("bytes=2-4", Assert.Single(request.Headers.GetValues("x-ms-range")));
        Assert.Equal("\"0x1\"", request.Headers.IfMatch.ToString());
    }

    /// <summary>The SDK's own download does, five times.</summary>
    [Fact]
    public async Task A_broken_reply_is_not_asked_for_again()
    {
        using var azure = new FakeAzure(_ =>
        {
            var reply = new HttpResponseMessage(HttpStatusCode.PartialContent) { Content = new StreamContent(new BrokenStream()) };
            reply.Content.Headers.ContentRange = new ContentRangeHeaderValue(0, 9, 10);
            reply.Headers.ETag = new EntityTagHeaderValue("\"0x1\"");
            return reply;
        });

        using var reply = await azure.Open(signature: "sig=1").ReadAsync(Source, new ByteRange(0, 10), Token);
        var buffer = new byte[10];

        Assert.Equal((206, "bytes 0-9/10", "\"0x1\""), (reply.Status, reply.ContentRange, reply.Version));
        Assert.Equal(4, await reply.Body.ReadAsync(buffer, Token));
        await Assert.ThrowsAnyAsync<IOException>(() => reply.Body.ReadExactlyAsync(buffer, Token).AsTask());
        Assert.Single(azure.Requests);
    }

    [Theory]
    [InlineData(408, "OperationTimedOut", nameof(StoreFailure.Transient))]
    [InlineData(429, "TooManyRequests", nameof(StoreFailure.Transient))]
    [InlineData(500, "InternalError", nameof(StoreFailure.Transient))]
    [InlineData(503, "ServerBusy", nameof(StoreFailure.Transient))]
    [InlineData(400, "Md5Mismatch", nameof(StoreFailure.Transient))]
    [InlineData(501, "NotImplemented", nameof(StoreFailure.Refused))]
    [InlineData(401, "NoAuthenticationInformation", nameof(StoreFailure.Denied))]
    [InlineData(403, "AuthorizationFailure", nameof(StoreFailure.Denied))]
    [InlineData(409, "PublicAccessNotPermitted", nameof(StoreFailure.Denied))]
    [InlineData(404, "BlobNotFound", nameof(StoreFailure.Changed))]
    [InlineData(409, "BlobAlreadyExists", nameof(StoreFailure.Changed))]
    [InlineData(412, "ConditionNotMet", nameof(StoreFailure.Changed))]
    [InlineData(400, "InvalidBlockList", nameof(StoreFailure.Changed))]
    [InlineData(404, "ContainerNotFound", nameof(StoreFailure.Refused))]
    [InlineData(409, "ContainerBeingDeleted", nameof(StoreFailure.Refused))]
    [InlineData(412, "LeaseIdMissing", nameof(StoreFailure.Refused))]
    [InlineData(400, "InvalidBlobOrBlock", nameof(StoreFailure.Refused))]
    [InlineData(409, "BlobArchived", nameof(StoreFailure.Refused))]
    public async Task An_error_is_what_its_code_says(int status, string code, string failure)
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error((HttpStatusCode)status, code));
        var store = azure.Open(signature: "sig=1");

        foreach (var request in new Func<Task>[]
        {
            () => store.ReadAsync(Source, new ByteRange(0, 1), Token),
            () => store.PutAsync("key", new byte[1], "run", null, Token),
            () => store.UploadAsync("key", "run", 1, new byte[1], Token),
        })
        {
            azure.Requests.Clear();
            var e = await StoreFailureAssert.ThrowsAsync(Enum.Parse<StoreFailure>(failure), request);
            Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
            Assert.Contains(code == "ContainerNotFound" || code == "ContainerBeingDeleted" ? "'runs'" : $"It says why. ({code})", e.Message, StringComparison.Ordinal);
            Assert.Single(azure.Requests);
        }
    }

    [Fact]
    public async Task A_busy_store_says_how_long()
    {
        using var azure = new FakeAzure(_ =>
        {
            var reply = FakeAzure.Error(HttpStatusCode.ServiceUnavailable, "ServerBusy");
            reply.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(7));
            return reply;
        });

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Transient, () => azure.Open(signature: "sig=1").FindAsync("key", Token));

        Assert.Equal(TimeSpan.FromSeconds(7), e.RetryAfter);
    }

    [Fact]
    public async Task A_request_that_nobody_answers_may_succeed_later()
    {
        using var azure = new FakeAzure(_ => throw new TaskCanceledException());

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Transient, () => azure.Open(signature: "sig=1").FindAsync("key", Token));

        Assert.StartsWith("account.blob.core.windows.net does not answer", e.Message, StringComparison.Ordinal);
        Assert.Single(azure.Requests);
    }

    /// <summary>Where an account has real folders, they are found like objects.</summary>
    [Theory]
    [InlineData("true", false)]
    [InlineData("false", true)]
    public async Task A_folder_is_no_object(string isFolder, bool isFound)
    {
        using var azure = new FakeAzure(_ =>
        {
            var reply = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([]) };
            reply.Headers.Add("x-ms-meta-hdi_isfolder", isFolder);
            reply.Headers.ETag = new EntityTagHeaderValue("\"0x1\"");
            return reply;
        });

        Assert.Equal(isFound, await azure.Open(signature: "sig=1").FindAsync("key", Token) is not null);
    }

    [Fact]
    public async Task A_key_leads_nowhere_else()
    {
        using var azure = new FakeAzure(_ => throw new InvalidOperationException());
        var store = azure.Open(signature: "sig=1");

        foreach (var key in new[] { "../other/key", "a/../b", "a/.", "a\\..\\b" })
        {
            var e = await Assert.ThrowsAsync<StoreException>(() => store.FindAsync(key, Token));
            Assert.Equal(StoreFailure.Refused, e.Failure);
        }

        Assert.Empty(azure.Requests);
    }

    /// <summary>Yields four bytes.</summary>
    private sealed class BrokenStream : MemoryStream
    {
        private bool _isBroken;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            ObjectDisposedException.ThrowIf(!CanRead, this);

            if (_isBroken)
            {
                throw new IOException("The connection was reset.");
            }

            _isBroken = true;
            return ValueTask.FromResult(4);
        }
    }
}
