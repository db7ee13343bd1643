using System.Text;
using Fairseq2Llama.S3;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

public sealed class S3ObjectTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly S3Server _server = new();
    private readonly IObjectClient _client;

    public S3ObjectTests() => _client = new S3Factory().Open(new Uri("s3://bucket"), _server.Access);

    public static TheoryData<string> Keys { get; } =
    [
        "run/model.yaml", "with space", "a+b", "100%", "100%25", "#1", "what?", "a&b=c", "a;b:c,d@e", "größe/模型/🦙", "run//twice",
        "last/", "[1] (2) 'three' \"four\"", "~!*$",
        "run/../up", "./here", @"back\slash", "<a>&amp;</a>",
    ];

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Any_key_can_be_written_found_read_listed_and_deleted(string key)
    {
        var written = await _client.PutAsync(key, "content"u8.ToArray(), "run 1", replaces: null, None);
        var found = await _client.FindAsync(key, None);

        Assert.Equal([key], _server.Bucket("bucket").Objects.Keys);
        Assert.Equal(new StoredObject(key, 7, written) { Run = "run 1" }, found! with { Age = default });
        Assert.Equal("tent", await ReadAsync(found!, 3, 4));

        var folder = key[..(key.TrimEnd('/').LastIndexOf('/') + 1)];
        var page = await _client.ListAsync(folder, continuation: null, None);
        Assert.Equal(key, page.Objects.Select(item => item.Key).Concat(page.Prefixes).Single());

        await _client.DeleteAsync(key, written, None);
        Assert.Empty(_server.Bucket("bucket").Objects);
    }

    /// <summary>The SDK would send a request for "first", signed for "/first"; and one without a signature would read another object.</summary>
    [Fact]
    public async Task A_key_that_begins_with_a_slash_is_refused()
    {
        _server.Bucket("bucket").Put("first", [1]);

        await S3Assert.Throws(StoreFailure.Refused, () => _client.FindAsync("/first", None), "'s3://bucket//first'", "slash");
        Assert.Empty(_server.Calls);
    }

    [Fact]
    public async Task An_object_that_is_not_there_is_not_found() => Assert.Null(await _client.FindAsync("none", None));

    [Fact]
    public async Task Age_is_by_the_clock_of_the_store()
    {
        _server.ClockOffset = TimeSpan.FromMinutes(-10);
        _server.Bucket("bucket").Put("old", [1], run: "run 1", written: _server.Now - TimeSpan.FromHours(2));

        var found = await _client.FindAsync("old", None);

        Assert.Equal("run 1", found!.Run);
        Assert.InRange(found.Age, TimeSpan.FromHours(2) - TimeSpan.FromSeconds(3), TimeSpan.FromHours(2) + TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData(0, 10, "bytes 0-9/10")]
    [InlineData(0, 1, "bytes 0-0/10")]
    [InlineData(9, 1, "bytes 9-9/10")]
    [InlineData(8, 5, "bytes 8-9/10")]
    public async Task Ranges_are_handed_up_as_they_come(long offset, long length, string contentRange)
    {
        var found = await PutAsync("object", "0123456789");

        using var reply = await _client.ReadAsync(found, new ByteRange(offset, length), None);
        using var reader = new StreamReader(reply.Body);

        Assert.Equal((206, contentRange, found.Version), (reply.Status, reply.ContentRange, reply.Version));
        Assert.Equal("0123456789".Substring((int)offset, (int)Math.Min(length, 10 - offset)), await reader.ReadToEndAsync(None));
    }

    [Fact]
    public async Task A_range_behind_the_end_is_refused()
    {
        var found = await PutAsync("object", "0123456789");

        await S3Assert.Throws(StoreFailure.Refused, () => ReadAsync(found, 10, 1), "s3://bucket/object", "InvalidRange");
    }

    [Fact]
    public async Task What_a_reply_claims_is_not_checked_here()
    {
        var found = await PutAsync("object", "0123456789");
        _server.Fault = _ => new S3Fault { SendsWhole = true };

        using (var whole = await _client.ReadAsync(found, new ByteRange(2, 3), None))
        {
            Assert.Equal((200, null), (whole.Status, whole.ContentRange));
            Assert.Equal("0123456789", await new StreamReader(whole.Body).ReadToEndAsync(None));
        }

        _server.Fault = _ => new S3Fault { ContentRange = "bytes 0-2/10", Tag = "\"other\"" };
        using var other = await _client.ReadAsync(found, new ByteRange(2, 3), None);
        Assert.Equal((206, "bytes 0-2/10", "\"other\""), (other.Status, other.ContentRange, other.Version));
    }

    [Fact]
    public async Task A_body_that_is_cut_fails_while_it_is_read()
    {
        var found = await PutAsync("object", "0123456789");
        _server.Fault = _ => S3Fault.Cut(4);

        using var reply = await _client.ReadAsync(found, new ByteRange(0, 10), None);
        var read = new MemoryStream();

        await Assert.ThrowsAnyAsync<IOException>(() => reply.Body.CopyToAsync(read, None));
        Assert.Equal(4, read.Length);
        Assert.Equal(1, _server.Count(S3Operation.Get));
    }

    [Fact]
    public async Task A_body_that_stalls_can_be_left()
    {
        var found = await PutAsync("object", "0123456789");
        _server.Fault = _ => S3Fault.Stall(4);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        using var reply = await _client.ReadAsync(found, new ByteRange(0, 10), None);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reply.Body.ReadExactlyAsync(new byte[10], source.Token).AsTask());
    }

    [Fact]
    public async Task Another_version_is_not_read()
    {
        var found = await PutAsync("object", "old");
        _server.Bucket("bucket").Put("object", "new"u8.ToArray());
        await S3Assert.Throws(StoreFailure.Changed, () => ReadAsync(found, 0, 1), "s3://bucket/object");

        _server.Bucket("bucket").Objects.Clear();
        await S3Assert.Throws(StoreFailure.Changed, () => ReadAsync(found, 0, 1), "s3://bucket/object");
    }

    [Theory]
    [InlineData((int)S3Manners.None)]
    [InlineData((int)S3Manners.Ceph)]
    public async Task Of_two_writers_the_second_changes_nothing(int manners)
    {
        _server.Manners = (S3Manners)manners;
        var first = await _client.PutAsync("object", "first"u8.ToArray(), "run 1", replaces: null, None);
        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.PutAsync("object", "second"u8.ToArray(), "run 2", replaces: null, None), "s3://bucket/object");

        var third = await _client.PutAsync("object", "third"u8.ToArray(), "run 3", first, None);
        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.PutAsync("object", "fourth"u8.ToArray(), "run 4", first, None), "s3://bucket/object");

        Assert.Equal("third", Encoding.UTF8.GetString(_server.Bucket("bucket")["object"]));
        await _client.DeleteAsync("object", third, None);
        await S3Assert.Throws(
            StoreFailure.Changed, () => _client.PutAsync("object", "fifth"u8.ToArray(), "run 5", third, None), "s3://bucket/object");
    }

    [Fact]
    public async Task A_store_that_compares_versions_without_quotation_marks_is_found_out_once()
    {
        _server.Manners = S3Manners.UnquotedVersions;
        var version = await _client.PutAsync("object", "0"u8.ToArray(), "run 1", replaces: null, None);
        _server.ResetCounts();

        foreach (var content in (string[])["1", "2", "3"])
        {
            version = await _client.PutAsync("object", Encoding.UTF8.GetBytes(content), "run 1", version, None);
        }

        Assert.Equal("3", Encoding.UTF8.GetString(_server.Bucket("bucket")["object"]));
        Assert.Equal(
            [S3Operation.Put, S3Operation.Head, S3Operation.Put, S3Operation.Put, S3Operation.Put], _server.Calls.Select(call => call.Operation));
    }

    [Theory]
    [InlineData((int)S3Manners.None)]
    [InlineData((int)S3Manners.Ceph)]
    public async Task Another_version_is_not_deleted(int manners)
    {
        _server.Manners = (S3Manners)manners;
        var found = await PutAsync("object", "old");
        _server.Bucket("bucket").Put("object", "new"u8.ToArray());

        await S3Assert.Throws(StoreFailure.Changed, () => _client.DeleteAsync("object", found.Version, None), "s3://bucket/object");
        await S3Assert.Throws(StoreFailure.Changed, () => _client.DeleteAsync("none", found.Version, None), "s3://bucket/none");

        Assert.Equal("new", Encoding.UTF8.GetString(_server.Bucket("bucket")["object"]));
        Assert.Equal(0, _server.Count(S3Operation.Delete));
    }

    [Fact]
    public async Task A_version_that_comes_just_before_a_deletion_stays()
    {
        var found = await PutAsync("object", "old");
        _server.Fault = call =>
        {
            if (call.Operation == S3Operation.Delete)
            {
                _server.Bucket("bucket").Put("object", "new"u8.ToArray());
            }

            return null;
        };

        await S3Assert.Throws(StoreFailure.Changed, () => _client.DeleteAsync("object", found.Version, None));

        Assert.Equal("new", Encoding.UTF8.GetString(_server.Bucket("bucket")["object"]));
    }

    [Fact]
    public async Task A_store_that_refuses_the_condition_of_a_deletion_is_asked_without_it()
    {
        var found = await PutAsync("object", "old");
        _server.Fault = call => call.Operation == S3Operation.Delete && call.Headers.ContainsKey("If-Match") ? S3Fault.Refusal(501, "NotImplemented") : null;

        await _client.DeleteAsync("object", found.Version, None);

        Assert.Empty(_server.Bucket("bucket").Objects);
    }

    [Fact]
    public async Task A_body_is_sent_as_it_is_and_with_checksums()
    {
        await _client.PutAsync("object", new byte[1000].AsMemory(10, 900), "run 1", replaces: null, None);

        var headers = _server.Calls.Single().Headers;
        Assert.Equal("900", headers["Content-Length"]);
        Assert.Matches("^[0-9a-f]{64}$", headers["x-amz-content-sha256"]);
        Assert.Equal(S3Part.ChecksumOf(new byte[900]), headers["x-amz-checksum-crc32"]);
    }

    /// <summary>Some stores compare no checksums, and all of them compare what is signed.</summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData("http://store.example", true)]
    [InlineData("https://store.example", true)]
    public void Bodies_are_signed_for_all_stores_but_AWS(string? endpoint, bool areSigned)
    {
        S3Profiles.Use();
        var access = new StoreAccess { EndpointUrl = endpoint is null ? null : new Uri(endpoint), ProfileName = S3Profiles.Right };

        Assert.Equal(areSigned, new S3Connection("bucket", access).SignsPayloads);
    }

    private async Task<StoredObject> PutAsync(string key, string content)
    {
        _server.Bucket("bucket").Put(key, Encoding.UTF8.GetBytes(content));
        return (await _client.FindAsync(key, None))!;
    }

    private async Task<string> ReadAsync(StoredObject source, long offset, long length)
    {
        using var reply = await _client.ReadAsync(source, new ByteRange(offset, length), None);
        using var reader = new StreamReader(reply.Body);
        return await reader.ReadToEndAsync(None);
    }
}
