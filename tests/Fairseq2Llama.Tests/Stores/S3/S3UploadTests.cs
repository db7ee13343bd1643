using Fairseq2Llama.S3;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

public sealed class S3UploadTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly S3Server _server = new() { MinPartLength = 100 };
    private readonly IObjectClient _client;

    public S3UploadTests() => _client = Open("bucket");

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("run/model 1+1%.pt")]
    [InlineData("größe//模型#")]
    public async Task Parts_become_an_object_in_the_order_of_their_numbers(string key)
    {
        var upload = await _client.BeginAsync(key, "run 1", None);
        var last = await _client.UploadAsync(key, upload, 9, Bytes(3, 10), None);
        await _client.UploadAsync(key, upload, 2, Bytes(0, 500), None);
        var first = await _client.UploadAsync(key, upload, 2, Bytes(1, 100), None);
        Assert.Null(await _client.FindAsync(key, None));

        var version = await _client.CompleteAsync(key, upload, "run 1", [new(2, first), new(9, last)], replaces: null, None);

        Assert.Equal(new StoredObject(key, 110, version) { Run = "run 1" }, (await _client.FindAsync(key, None))! with { Age = default });
        Assert.Equal([.. Bytes(1, 100), .. Bytes(3, 10)], _server.Bucket("bucket")[key]);
        Assert.Empty(await _client.FindUploadsAsync(key, None));
    }

    [Theory]
    [InlineData("bucket")]
    [InlineData("other")]
    public async Task Ranges_are_copied_inside_the_store(string from)
    {
        const string Source = "run 1+1%/größe#";
        _server.Bucket(from).Put(Source, [.. Bytes(1, 150), .. Bytes(2, 150)]);
        var source = await Open(from).FindAsync(Source, None);
        var upload = await _client.BeginAsync("copy", "run 1", None);

        var first = await _client.CopyAsync("copy", upload, 1, Open(from), source!, new ByteRange(50, 200), None);
        var last = await _client.CopyAsync("copy", upload, 2, Open(from), source!, new ByteRange(299, 1), None);
        await _client.CompleteAsync("copy", upload, "run 1", [new(1, first!), new(2, last!)], replaces: null, None);

        Assert.Equal([.. Bytes(1, 100), .. Bytes(2, 101)], _server.Bucket("bucket")["copy"]);
        Assert.Equal(0, _server.Received(S3Operation.Upload) + _server.Sent(S3Operation.Get));
    }

    [Theory]
    [InlineData((int)S3Manners.None)]
    [InlineData((int)S3Manners.Ceph)]
    public async Task Another_version_is_not_copied(int manners)
    {
        _server.Manners = (S3Manners)manners;
        _server.Bucket("bucket").Put("source", Bytes(1, 200));
        var source = await _client.FindAsync("source", None);
        var upload = await _client.BeginAsync("copy", "run 1", None);

        _server.Bucket("bucket").Put("source", Bytes(2, 200));
        await S3Assert.Throws(StoreFailure.Changed, () => _client.CopyAsync("copy", upload, 1, _client, source!, new ByteRange(0, 100), None));

        _server.Bucket("bucket").Objects.Clear();
        await S3Assert.Throws(StoreFailure.Changed, () => _client.CopyAsync("copy", upload, 1, _client, source!, new ByteRange(0, 100), None));
    }

    [Fact]
    public async Task A_store_that_does_not_copy_says_so()
    {
        _server.Bucket("bucket").Put("source", Bytes(1, 200));
        var source = await _client.FindAsync("source", None);
        var upload = await _client.BeginAsync("copy", "run 1", None);
        _server.Fault = call => call.Operation == S3Operation.Copy ? S3Fault.Refusal(501, "NotImplemented") : null;

        Assert.Null(await _client.CopyAsync("copy", upload, 1, _client, source!, new ByteRange(0, 100), None));
    }

    /// <summary>The store would copy another object, or none.</summary>
    [Theory]
    [InlineData("100%25")]
    [InlineData("100%")]
    public async Task An_object_whose_name_the_store_does_not_understand_is_not_copied(string key)
    {
        _server.Manners = S3Manners.Ceph;
        _server.Bucket("bucket").Put(key, Bytes(1, 200));
        _server.Bucket("bucket").Put(Uri.UnescapeDataString(key), Bytes(key == "100%" ? (byte)1 : (byte)2, 200));
        var source = await _client.FindAsync(key, None);
        var upload = await _client.BeginAsync("copy", "run 1", None);

        Assert.Null(await _client.CopyAsync("copy", upload, 1, _client, source!, new ByteRange(0, 100), None));
    }

    [Fact]
    public async Task Ranges_of_objects_that_are_too_small_are_not_copied()
    {
        _server.Bucket("bucket").Put("source", Bytes(1, 100));
        var source = await _client.FindAsync("source", None);
        var upload = await _client.BeginAsync("copy", "run 1", None);

        Assert.Null(await _client.CopyAsync("copy", upload, 1, _client, source!, new ByteRange(0, 100), None));
    }

    [Fact]
    public void Only_the_same_service_can_be_copied_from()
    {
        Assert.True(_client.CanCopyFrom(Open("other")));
        Assert.False(_client.CanCopyFrom(new S3Factory().Open(new Uri("s3://bucket"), _server.Access with { EndpointUrl = new Uri("http://127.0.0.1:1") })));
        Assert.False(_client.CanCopyFrom(new S3Factory().Open(new Uri("s3://bucket"), _server.Access with { Region = "eu-west-3" })));
        Assert.False(_client.CanCopyFrom(new S3Factory().Open(new Uri("s3://bucket"), _server.Access with { ProfileName = S3Profiles.Stranger })));
    }

    [Theory]
    [InlineData((int)S3Manners.None)]
    [InlineData((int)S3Manners.Ceph)]
    public async Task Of_two_uploads_the_second_changes_nothing(int manners)
    {
        _server.Manners = (S3Manners)manners;
        var first = await UploadAsync("object", 1);
        var second = await UploadAsync("object", 2);
        var version = await _client.CompleteAsync("object", first.Id, "run 1", first.Parts, replaces: null, None);

        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.CompleteAsync("object", second.Id, "run 2", second.Parts, replaces: null, None), "s3://bucket/object");
        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.CompleteAsync("object", second.Id, "run 2", second.Parts, "\"another\"", None), "s3://bucket/object");
        Assert.Equal(Bytes(1, 10), _server.Bucket("bucket")["object"]);

        await _client.CompleteAsync("object", second.Id, "run 2", second.Parts, version, None);
        Assert.Equal(Bytes(2, 10), _server.Bucket("bucket")["object"]);
    }

    [Theory]
    [InlineData(409, "ConditionalRequestConflict", "Transient")]
    [InlineData(200, "InternalError", "Transient")]
    [InlineData(200, "SlowDown", "Transient")]
    [InlineData(200, "AccessDenied", "Refused")]
    public async Task An_upload_can_fail_when_it_is_completed(int status, string code, string failure)
    {
        var upload = await UploadAsync("object", 1);
        _server.Fault = call => call.Operation == S3Operation.Complete ? S3Fault.Refusal(status, code) : null;

        await S3Assert.Throws(
            Enum.Parse<StoreFailure>(failure), () => _client.CompleteAsync("object", upload.Id, "run 1", upload.Parts, replaces: null, None), code);

        Assert.Empty(_server.Bucket("bucket").Objects);
        Assert.Equal(1, _server.Count(S3Operation.Complete));
    }

    [Theory]
    [InlineData((int)S3Manners.None)]
    [InlineData((int)S3Manners.Ceph)]
    public async Task The_reply_to_a_completion_can_be_lost(int manners)
    {
        _server.Manners = (S3Manners)manners;
        var upload = await UploadAsync("object", 1);
        _server.Fault = call => call is { Operation: S3Operation.Complete, Number: 1 } ? S3Fault.LostReply : null;

        await S3Assert.Throws(StoreFailure.Transient, () => _client.CompleteAsync("object", upload.Id, "run 1", upload.Parts, replaces: null, None));
        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.CompleteAsync("object", upload.Id, "run 1", upload.Parts, replaces: null, None), "s3://bucket/object");

        Assert.Equal("run 1", (await _client.FindAsync("object", None))!.Run);
    }

    [Fact]
    public async Task A_part_that_is_too_small_is_refused()
    {
        var upload = await _client.BeginAsync("object", "run 1", None);
        var first = await _client.UploadAsync("object", upload, 1, Bytes(1, 99), None);
        var last = await _client.UploadAsync("object", upload, 2, Bytes(1, 1), None);

        await S3Assert.Throws(
            StoreFailure.Refused, () => _client.CompleteAsync("object", upload, "run 1", [new(1, first), new(2, last)], replaces: null, None), "EntityTooSmall");
    }

    [Fact]
    public async Task Discarded_parts_are_gone()
    {
        var upload = await UploadAsync("object", 1);

        await _client.DiscardAsync("object", upload.Id, None);
        await _client.DiscardAsync("object", upload.Id, None);

        Assert.Empty(_server.Bucket("bucket").Uploads);
        await S3Assert.Throws(StoreFailure.Refused, () => _client.UploadAsync("object", upload.Id, 2, Bytes(1, 1), None), "NoSuchUpload");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public async Task Uploads_of_exactly_one_key_are_found(int pageLength)
    {
        _server.PageLength = pageLength;
        var ids = new List<string>();

        foreach (var key in (string[])["a", "model", "model", "model.pt", "model", "model/1"])
        {
            var id = await _client.BeginAsync(key, "run 1", None);
            ids.AddRange(key == "model" ? [id] : []);
        }

        Assert.Equal(ids, await _client.FindUploadsAsync("model", None));
    }

    private static byte[] Bytes(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private IObjectClient Open(string bucket) => new S3Factory().Open(new Uri($"s3://{bucket}"), _server.Access);

    private async Task<(string Id, UploadedPart[] Parts)> UploadAsync(string key, byte value)
    {
        var upload = await _client.BeginAsync(key, "run 1", None);
        return (upload, [new UploadedPart(1, await _client.UploadAsync(key, upload, 1, Bytes(value, 10), None))]);
    }
}
