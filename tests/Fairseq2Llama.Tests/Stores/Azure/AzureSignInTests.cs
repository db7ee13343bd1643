using System.Net;
using Azure.Core;
using Azure.Identity;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Who asks a store that was given no SAS.</summary>
public sealed class AzureSignInTests
{
    private static readonly StoredObject Source = new("key", 10, "\"0x1\"");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_is_signed_in_asks_with_one_token()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.NotFound, "BlobNotFound"));
        var user = new User(() => new AccessToken("first", DateTimeOffset.UtcNow.AddHours(1)));
        var store = azure.Open(() => user);
        Assert.Equal(0, user.Asked);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.FindAsync("key", Token)));

        Assert.Equal(1, user.Asked);
        Assert.Equal(8, azure.Requests.Count);
        Assert.All(azure.Requests, request => Assert.Equal("Bearer first", request.Headers.Authorization?.ToString()));
    }

    [Fact]
    public async Task A_copy_shows_the_token_for_its_source()
    {
        using var azure = new FakeAzure(_ => new HttpResponseMessage(HttpStatusCode.Created));
        var store = azure.Open(() => new User(() => new AccessToken("first", DateTimeOffset.UtcNow.AddHours(1))));

        Assert.NotNull(await store.CopyAsync("copy", "run", 1, store, Source, new ByteRange(2, 3), Token));

        var headers = Assert.Single(azure.Requests).Headers;
        Assert.Equal("Bearer first", Assert.Single(headers.GetValues("x-ms-copy-source-authorization")));
        Assert.Equal($"{FakeAzure.Container}/key", Assert.Single(headers.GetValues("x-ms-copy-source")));
        Assert.Equal("bytes=2-4", Assert.Single(headers.GetValues("x-ms-source-range")));
        Assert.Equal("\"0x1\"", Assert.Single(headers.GetValues("x-ms-source-if-match")));
    }

    [Theory]
    [InlineData(501, "NotImplemented")]
    [InlineData(400, "UnsupportedHeader")]
    [InlineData(403, "CannotVerifyCopySource")]
    [InlineData(409, "CopyAcrossAccountsNotSupported")]
    public async Task Some_stores_can_not_copy(int status, string code)
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error((HttpStatusCode)status, code));
        var store = azure.Open(signature: "sig=1");

        Assert.Null(await store.CopyAsync("copy", "run", 1, store, Source, new ByteRange(2, 3), Token));
    }

    [Fact]
    public async Task Where_nobody_is_signed_in_nobody_asks()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.NotFound, "ResourceNotFound"));
        var user = new User(() => throw new CredentialUnavailableException("No account."));
        var store = azure.Open(() => user);

        for (var i = 0; i < 3; i++)
        {
            var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.FindAsync("key", Token));
            Assert.Contains("-SasToken, or sign in with Connect-AzAccount or az login.", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, user.Asked);
        Assert.All(azure.Requests, request => Assert.Null(request.Headers.Authorization));
    }

    [Fact]
    public async Task Why_nobody_could_be_signed_in_is_told_if_it_matters()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.Conflict, "PublicAccessNotPermitted"));
        var store = azure.Open(() => new User(() => throw new AuthenticationFailedException("The client secret has expired.\nTrace: 1")));

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.ListAsync("", null, Token));

        Assert.EndsWith(" Signing in failed: The client secret has expired.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_may_not_is_told_which_role_may()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.Forbidden, "AuthorizationPermissionMismatch"));
        var store = azure.Open(() => new User(() => new AccessToken("first", DateTimeOffset.UtcNow.AddHours(1))));

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.ListAsync("", null, Token));

        Assert.Contains("Storage Blob Data Reader", e.Message, StringComparison.Ordinal);
    }

    /// <summary>A token would be there for all to read, and the SDK does not send it.</summary>
    [Fact]
    public async Task Over_http_nobody_is_looked_for()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.Forbidden, "AuthorizationFailure"));
        var store = azure.Open(container: new Uri("http://127.0.0.1:10000/devstoreaccount1/runs"));

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.FindAsync("key", Token));

        Assert.Contains("over http://", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_renewed_before_it_expires()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.NotFound, "BlobNotFound"));
        var tokens = new Queue<string>(["first", "second"]);
        var user = new User(() => new AccessToken(tokens.Dequeue(), DateTimeOffset.UtcNow.AddMinutes(tokens.Count == 1 ? 1 : 60)));
        var store = azure.Open(() => user);

        await store.FindAsync("key", Token);
        await store.FindAsync("key", Token);

        Assert.Equal("Bearer second", azure.Requests[^1].Headers.Authorization?.ToString());
    }

    [Fact]
    public async Task A_token_that_can_not_be_renewed_is_used_as_long_as_it_lasts()
    {
        using var azure = new FakeAzure(_ => FakeAzure.Error(HttpStatusCode.NotFound, "BlobNotFound"));
        var tokens = new Queue<string>(["first"]);
        var user = new User(() => tokens.TryDequeue(out var token)
            ? new AccessToken(token, DateTimeOffset.UtcNow.AddMinutes(1))
            : throw new AuthenticationFailedException("Azure is down."));
        var store = azure.Open(() => user);

        Assert.Null(await store.FindAsync("key", Token));
        Assert.Null(await store.FindAsync("key", Token));
        Assert.Equal("Bearer first", azure.Requests[^1].Headers.Authorization?.ToString());
    }

    private sealed class User(Func<AccessToken> getToken) : TokenCredential
    {
        private int _asked;

        public int Asked => _asked;

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Assert.Equal(["https://storage.azure.com/.default"], requestContext.Scopes);
            Interlocked.Increment(ref _asked);
            return getToken();
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
