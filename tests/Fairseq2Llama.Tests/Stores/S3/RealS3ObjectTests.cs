using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support.S3;

namespace Fairseq2Llama.Tests.Stores.S3;

/// <summary>Single requests to a store that others have made: whether it does what exports rely on, and the server of the tests, too.</summary>
[External]
public sealed class RealS3ObjectTests(RealS3 real)
{
    private readonly IObjectClient _client = real.Open();
    private readonly string _prefix = real.NewPrefix();

    public static TheoryData<string> Keys => S3ObjectTests.Keys;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Key => _prefix + "object";

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Any_key_can_be_written_found_read_listed_and_deleted(string name)
    {
        var key = _prefix + name;
        var written = await PutAsync(key, 7);
        var found = await _client.FindAsync(key, Token);

        Assert.Equal(new StoredObject(key, 7, written) { Run = "run 1" }, found! with { Age = default });
        Assert.InRange(found!.Age, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.Equal([3, 4, 5, 6], await ReadAsync(found, 3, 4));

        var folder = key[..(key.TrimEnd('/').LastIndexOf('/') + 1)];
        var page = await _client.ListAsync(folder, continuation: null, Token);
        Assert.Equal(key, page.Objects.Select(item => item.Key).Concat(page.Prefixes).Single());

        await _client.DeleteAsync(key, written, Token);
        Assert.Null(await _client.FindAsync(key, Token));
    }

    /// <summary>Where the name of an object can be misunderstood, it is not copied.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Any_key_can_be_uploaded_in_parts_and_copied(string name)
    {
        var (key, copy) = (_prefix + name, $"{_prefix}copy of {name}");
        var upload = await UploadAsync(key, 10, number: 7);
        Assert.Equal([upload.Id], await _client.FindUploadsAsync(key, Token));
        Assert.Null(await _client.FindAsync(key, Token));

        var version = await CompleteAsync(key, upload);
        var found = await _client.FindAsync(key, Token);
        Assert.Equal(new StoredObject(key, 10, version) { Run = "run 1" }, found! with { Age = default });
        Assert.Empty(await _client.FindUploadsAsync(key, Token));

        var id = await _client.BeginAsync(copy, "run 2", Token);

        if (await _client.CopyAsync(copy, id, 1, _client, found!, new ByteRange(3, 4), Token) is { } part)
        {
            await CompleteAsync(copy, (id, [new UploadedPart(1, part)]));
            Assert.Equal([3, 4, 5, 6], await ReadAsync((await _client.FindAsync(copy, Token))!, 0, 4));
            return;
        }

        Assert.Contains('%', name);
        await _client.DiscardAsync(copy, id, Token);
    }

    [Fact]
    public async Task Of_two_writers_the_second_changes_nothing()
    {
        var first = await PutAsync(Key, 1);
        await ThrowsChangedAsync(() => PutAsync(Key, 2));

        var third = await PutAsync(Key, 3, first);
        await ThrowsChangedAsync(() => PutAsync(Key, 4, first));
        Assert.Equal(3, (await _client.FindAsync(Key, Token))!.Length);

        await ThrowsChangedAsync(() => _client.DeleteAsync(Key, first, Token));
        await _client.DeleteAsync(Key, third, Token);
        await ThrowsChangedAsync(() => PutAsync(Key, 5, third));
        await ThrowsChangedAsync(() => _client.DeleteAsync(Key, third, Token));
        Assert.Null(await _client.FindAsync(Key, Token));
    }

    /// <summary>Claims are taken in this way.</summary>
    [Fact]
    public async Task Of_many_writers_at_once_one_wins()
    {
        for (var round = 0; round < 5; round++)
        {
            var key = $"{Key} {round}";
            var results = await Task.WhenAll(Enumerable.Range(1, 16).Select(async length => await TryPutAsync(key, length) ? length : 0));

            Assert.Equal((await _client.FindAsync(key, Token))!.Length, Assert.Single(results, length => length > 0));
        }
    }

    [Fact]
    public async Task Of_two_uploads_the_second_changes_nothing()
    {
        var (first, second) = (await UploadAsync(Key, 1), await UploadAsync(Key, 2));
        var version = await CompleteAsync(Key, first);
        await ThrowsChangedAsync(() => CompleteAsync(Key, second));
        await ThrowsChangedAsync(() => CompleteAsync(Key, second, "\"another\""));
        Assert.Equal(1, (await _client.FindAsync(Key, Token))!.Length);

        await CompleteAsync(Key, second, version);
        Assert.Equal(2, (await _client.FindAsync(Key, Token))!.Length);
    }

    /// <summary>As after a reply that was lost.</summary>
    [Fact]
    public async Task An_upload_that_is_complete_is_not_completed_again()
    {
        var upload = await UploadAsync(Key, 1);
        await CompleteAsync(Key, upload);

        await ThrowsChangedAsync(() => CompleteAsync(Key, upload));
    }

    [Fact]
    public async Task Discarded_parts_are_gone()
    {
        var upload = await UploadAsync(Key, 1);

        await _client.DiscardAsync(Key, upload.Id, Token);
        await _client.DiscardAsync(Key, upload.Id, Token);

        Assert.Empty(await _client.FindUploadsAsync(Key, Token));
        await S3Assert.Throws(StoreFailure.Refused, () => _client.UploadAsync(Key, upload.Id, 2, new byte[1], Token), "NoSuchUpload");
    }

    [Fact]
    public async Task Uploads_of_exactly_one_key_are_found()
    {
        string[] names = ["a", "model", "model", "model.pt", "model", "model/1"];
        var uploads = new List<(string Name, string Id)>();

        foreach (var name in names)
        {
            uploads.Add((name, await _client.BeginAsync(_prefix + name, "run 1", Token)));
        }

        var found = await _client.FindUploadsAsync(_prefix + "model", Token);
        Assert.Equal(uploads.Where(upload => upload.Name == "model").Select(upload => upload.Id).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));

        foreach (var (name, id) in uploads)
        {
            await _client.DiscardAsync(_prefix + name, id, Token);
        }
    }

    [Fact]
    public async Task A_part_that_is_too_small_is_refused()
    {
        var id = await _client.BeginAsync(Key, "run 1", Token);
        UploadedPart[] parts = [new(1, await _client.UploadAsync(Key, id, 1, new byte[99], Token)), new(2, await _client.UploadAsync(Key, id, 2, new byte[1], Token))];

        await S3Assert.Throws(StoreFailure.Refused, () => CompleteAsync(Key, (id, parts)), "EntityTooSmall");

        await _client.DiscardAsync(Key, id, Token);
    }

    [Fact]
    public async Task Another_version_is_neither_read_nor_copied()
    {
        var old = await PutAsync(Key, 1);
        await PutAsync(Key, 2, old);
        var copy = await _client.BeginAsync(Key + " copy", "run 2", Token);

        foreach (var source in (StoredObject[])[new(Key, 1, old), new(Key + " none", 1, old)])
        {
            await ThrowsChangedAsync(() => ReadAsync(source, 0, 1));
            await ThrowsChangedAsync(() => _client.CopyAsync(Key + " copy", copy, 1, _client, source, new ByteRange(0, 1), Token));
        }

        await _client.DiscardAsync(Key + " copy", copy, Token);
    }

    [Fact]
    public async Task A_range_behind_the_end_is_refused()
    {
        var version = await PutAsync(Key, 10);

        await S3Assert.Throws(StoreFailure.Refused, () => ReadAsync(new StoredObject(Key, 11, version), 10, 1), "InvalidRange");
    }

    /// <summary>More than fit on one page.</summary>
    [Fact]
    public async Task Many_keys_are_listed()
    {
        string[] objects = [.. Enumerable.Range(0, 800).Select(number => $"a b+{number}%")];
        string[] folders = [.. Enumerable.Range(0, 400).Select(number => $"größe {number}%/")];
        await Parallel.ForEachAsync([.. objects, .. folders.Select(name => name + "file")], Token, async (name, _) => await PutAsync(_prefix + name, 1));

        var listing = new RemoteStore(_client, StoreAccess.Default).List(_prefix, Token);

        Assert.Equal(objects.Order(StringComparer.Ordinal), listing.Objects.Select(found => found.Key[_prefix.Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(folders.Order(StringComparer.Ordinal), listing.Prefixes.Select(name => name[_prefix.Length..]).Order(StringComparer.Ordinal));
    }

    private static Task<StoreException> ThrowsChangedAsync(Func<Task> call) => S3Assert.Throws(StoreFailure.Changed, call);

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(value => (byte)value)];

    private Task<string> PutAsync(string key, int length, string? replaces = null) => _client.PutAsync(key, Bytes(length), "run 1", replaces, Token);

    private async Task<bool> TryPutAsync(string key, int length)
    {
        try
        {
            await PutAsync(key, length);
            return true;
        }
        catch (StoreException e) when (e.Failure is StoreFailure.Changed or StoreFailure.Transient)
        {
            return false;
        }
    }

    private async Task<(string Id, UploadedPart[] Parts)> UploadAsync(string key, int length, int number = 1)
    {
        var id = await _client.BeginAsync(key, "run 1", Token);
        return (id, [new UploadedPart(number, await _client.UploadAsync(key, id, number, Bytes(length), Token))]);
    }

    private Task<string> CompleteAsync(string key, (string Id, UploadedPart[] Parts) upload, string? replaces = null) =>
        _client.CompleteAsync(key, upload.Id, "run 1", upload.Parts, replaces, Token);

    private async Task<byte[]> ReadAsync(StoredObject source, long offset, long length)
    {
        using var reply = await _client.ReadAsync(source, new ByteRange(offset, length), Token);
        Assert.Equal((206, source.Version), (reply.Status, reply.Version));
        var bytes = new MemoryStream();
        await reply.Body.CopyToAsync(bytes, Token);
        return bytes.ToArray();
    }
}
