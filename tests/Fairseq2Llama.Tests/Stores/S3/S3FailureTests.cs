using Fairseq2Llama.S3;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

public sealed class S3FailureTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly S3Server _server = new();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData(S3Profiles.Stranger, "InvalidAccessKeyId")]
    [InlineData(S3Profiles.Forger, "SignatureDoesNotMatch")]
    public async Task Wrong_keys_are_denied(string profile, string code)
    {
        var client = Open(_server.Access with { ProfileName = profile });

        await S3Assert.Throws(StoreFailure.Denied, () => client.ListAsync("run/", continuation: null, None), "s3://bucket/run/", code);
        await S3Assert.Throws(StoreFailure.Denied, () => client.FindAsync("run/model.pt", None), "s3://bucket/run/model.pt");
        await S3Assert.Throws(StoreFailure.Denied, () => client.PutAsync("key", new byte[1], "run 1", replaces: null, None), "s3://bucket/key", code);
        Assert.Equal(3, _server.Calls.Count);
    }

    [Fact]
    public async Task Without_credentials_a_public_bucket_can_be_read()
    {
        _server.Bucket("public", isPublic: true).Put("run/model.pt", [1, 2, 3]);
        var client = Open(_server.Access with { ProfileName = null }, "public");

        var found = Assert.Single((await client.ListAsync("run/", continuation: null, None)).Objects);
        using var reply = await client.ReadAsync(found, new ByteRange(1, 2), None);

        Assert.Equal(206, reply.Status);
        Assert.All(_server.Calls, call => Assert.DoesNotContain("Authorization", call.Headers.Keys));
    }

    [Fact]
    public async Task Without_credentials_the_message_says_how_to_give_them()
    {
        var client = Open(_server.Access with { ProfileName = null });

        await S3Assert.Throws(
            StoreFailure.Denied,
            () => client.FindAsync("run/model.pt", None),
            "s3://bucket/run/model.pt", "no AWS credentials", "-ProfileName", "AWS_PROFILE", "AWS_ACCESS_KEY_ID");
    }

    [Theory]
    [InlineData("nobody", "There is no AWS profile 'nobody'")]
    [InlineData(S3Profiles.Program, "credential_process")]
    [InlineData(S3Profiles.Empty, "The AWS profile 'empty' has no usable credentials")]
    public async Task A_profile_that_gives_no_credentials_is_named_by_the_first_request(string profile, string message)
    {
        var client = Open(_server.Access with { ProfileName = profile });

        var exception = await S3Assert.Throws(StoreFailure.Denied, () => client.FindAsync("key", None), message);
        Assert.DoesNotContain(S3Profiles.OtherSecret, exception.ToString(), StringComparison.Ordinal);
        Assert.Empty(_server.Calls);
    }

    [Fact]
    public async Task A_bucket_that_does_not_exist_is_named()
    {
        var client = Open(_server.Access, "missing");

        await S3Assert.Throws(StoreFailure.Refused, () => client.ListAsync("", continuation: null, None), "There is no bucket 'missing'");
        await S3Assert.Throws(StoreFailure.Refused, () => client.BeginAsync("key", "run 1", None), "There is no bucket 'missing'");
        await S3Assert.Throws(
            StoreFailure.Refused, () => client.ReadAsync(new StoredObject("key", 1, "\"1\""), new ByteRange(0, 1), None), "There is no bucket 'missing'");
    }

    [Fact]
    public async Task Another_region_is_named()
    {
        _server.Region = "eu-west-3";

        await S3Assert.Throws(StoreFailure.Refused, () => Open(_server.Access).FindAsync("key", None), "us-east-1", "-Region eu-west-3");
        await S3Assert.Throws(StoreFailure.Refused, () => Open(_server.Access).ListAsync("", continuation: null, None), "us-east-1", "-Region eu-west-3");
        Assert.Null(await Open(_server.Access with { Region = "eu-west-3" }).FindAsync("key", None));
    }

    [Fact]
    public async Task A_permanent_redirect_names_the_region()
    {
        _server.Region = "ap-south-1";
        _server.Fault = _ => S3Fault.Refusal(301, "PermanentRedirect");

        await S3Assert.Throws(StoreFailure.Refused, () => Open(_server.Access).FindAsync("key", None), "-Region ap-south-1");
        await S3Assert.Throws(StoreFailure.Refused, () => Open(_server.Access).ListAsync("", continuation: null, None), "-Region ap-south-1");
    }

    [Fact]
    public async Task The_region_of_the_profile_is_used()
    {
        _server.Region = "eu-central-1";

        Assert.Null(await Open(_server.Access with { ProfileName = S3Profiles.Abroad }).FindAsync("key", None));
    }

    [Fact]
    public async Task A_wrong_clock_is_named()
    {
        _server.ClockOffset = TimeSpan.FromHours(1);

        await S3Assert.Throws(StoreFailure.Refused, () => Open(_server.Access).ListAsync("", continuation: null, None), "clock");
    }

    [Theory]
    [InlineData(503, "SlowDown", "Transient")]
    [InlineData(503, "ServiceUnavailable", "Transient")]
    [InlineData(500, "InternalError", "Transient")]
    [InlineData(502, "BadGateway", "Transient")]
    [InlineData(429, "TooManyRequests", "Transient")]
    [InlineData(408, "RequestTimeout", "Transient")]
    [InlineData(400, "RequestTimeout", "Transient")]
    [InlineData(400, "BadDigest", "Transient")]
    [InlineData(400, "ExpiredToken", "Denied")]
    [InlineData(401, "Unauthorized", "Denied")]
    [InlineData(403, "AccessDenied", "Denied")]
    [InlineData(400, "InvalidRequest", "Refused")]
    [InlineData(501, "NotImplemented", "Refused")]
    [InlineData(412, "PreconditionFailed", "Changed")]
    [InlineData(409, "OperationAborted", "Changed")]
    public async Task A_refusal_is_told_once(int status, string code, string failure)
    {
        var client = Open(_server.Access);
        _server.Fault = _ => S3Fault.Refusal(status, code, status is 503 or 429 ? TimeSpan.FromSeconds(7) : null);

        var exception = await S3Assert.Throws(
            Enum.Parse<StoreFailure>(failure), () => client.PutAsync("key", new byte[1], "run 1", replaces: null, None), "s3://bucket/key", code);

        Assert.Equal(status is 503 or 429 ? TimeSpan.FromSeconds(7) : null, exception.RetryAfter);
        Assert.Single(_server.Calls);
    }

    [Fact]
    public async Task A_temporary_redirect_of_a_compatible_store_is_a_failure_like_others()
    {
        _server.Fault = _ => S3Fault.Redirect(new Uri(_server.Address, "elsewhere"), status: 307);

        await Assert.ThrowsAsync<StoreException>(() => Open(_server.Access).FindAsync("key", None));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_tried_once()
    {
        var client = Open(_server.Access);
        Assert.Null(await client.FindAsync("key", None));
        _server.ResetCounts();
        _server.Fault = _ => S3Fault.Reset;

        await S3Assert.Throws(StoreFailure.Transient, () => client.FindAsync("key", None), "s3://bucket/key");
        await S3Assert.Throws(StoreFailure.Transient, () => client.PutAsync("key", new byte[1], "run 1", replaces: null, None), "s3://bucket/key");
        Assert.Equal(2, _server.Calls.Count);
    }

    [Fact]
    public async Task A_server_that_is_not_there_may_come()
    {
        var client = Open(_server.Access with { EndpointUrl = new Uri("http://127.0.0.1:1") });

        await S3Assert.Throws(StoreFailure.Transient, () => client.FindAsync("key", None), "s3://bucket/key");
    }

    [Fact]
    public async Task Whoever_cancels_is_told_so()
    {
        _server.Latency = TimeSpan.FromSeconds(30);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Open(_server.Access).FindAsync("key", source.Token));
    }

    private static IObjectClient Open(StoreAccess access, string bucket = "bucket") => new S3Factory().Open(new Uri($"s3://{bucket}"), access);
}
