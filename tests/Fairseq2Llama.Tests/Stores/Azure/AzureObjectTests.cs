using System.Text;
using Fairseq2Llama.AzureBlobs;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Objects in a container, each written and read in one request.</summary>
[External]
public sealed class AzureObjectTests(Azurite azurite)
{
    private const string Run = "0123456789abcdef0123456789abcdef";

    private readonly Lazy<IObjectClient> _store = new(() => azurite.Open(azurite.CreateContainer()));

    private IObjectClient Store => _store.Value;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_object_is_found_as_it_was_written()
    {
        var version = await PutAsync("step_1/model.pt", "weights");

        var found = await Store.FindAsync("step_1/model.pt", Token);

        Assert.NotNull(found);
        Assert.Equal(("step_1/model.pt", 7L, version, Run), (found.Key, found.Length, found.Version, found.Run));
        Assert.InRange(found.Age, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("folder")]
    [InlineData("folder/")]
    public async Task What_is_no_object_is_not_found(string key)
    {
        await PutAsync("folder/file", "");

        Assert.Null(await Store.FindAsync(key, Token));
    }

    [Theory]
    [InlineData("a b + c.pt")]
    [InlineData("100%/50%25.pt")]
    [InlineData("#1?x=y&z.pt")]
    [InlineData("größe/模型/🦙.pt")]
    [InlineData("a//b.pt")]
    [InlineData("a:b;c,d'e\"f.pt")]
    [InlineData("<&>.pt")]
    [InlineData("...")]
    public async Task An_object_has_any_name(string key)
    {
        var version = await PutAsync(key, key);

        Assert.Equal(version, (await Store.FindAsync(key, Token))?.Version);
        Assert.Equal(key, await ReadAsync(new StoredObject(key, 0, version), 0, Encoding.UTF8.GetByteCount(key)));

        var folder = key[..(key.LastIndexOf('/') + 1)];
        Assert.Contains(new StoredObject(key, Encoding.UTF8.GetByteCount(key), version), (await Store.ListAsync(folder, null, Token)).Objects);
    }

    [Fact]
    public async Task A_listing_shows_what_is_directly_below()
    {
        await PutAsync("run/a.pt", "a");
        await PutAsync("run/step_1/b.pt", "b");
        await PutAsync("run/step_1/c/d.pt", "d");
        await PutAsync("runs", "e");

        var page = await Store.ListAsync("run/", null, Token);

        Assert.Equal(["run/a.pt"], page.Objects.Select(found => found.Key));
        Assert.Equal(["run/step_1/"], page.Prefixes);
        Assert.Null(page.Continuation);

        var root = await Store.ListAsync("", null, Token);
        Assert.Equal(["runs"], root.Objects.Select(found => found.Key));
        Assert.Equal(["run/"], root.Prefixes);
        Assert.Empty((await Store.ListAsync("nothing/", null, Token)).Objects);
    }

    [Fact]
    public async Task A_listing_goes_on_where_its_page_ends()
    {
        foreach (var number in Enumerable.Range(0, 5))
        {
            await PutAsync($"many/{number}", "");
        }

        ((AzureBlobClient)Store).PageSize = 2;
        var found = new List<string>();
        var pages = 0;
        string? continuation = null;

        do
        {
            var page = await Store.ListAsync("many/", continuation, Token);
            found.AddRange(page.Objects.Select(item => item.Key));
            continuation = page.Continuation;
            pages++;
        }
        while (continuation is not null);

        Assert.Equal(["many/0", "many/1", "many/2", "many/3", "many/4"], found);
        Assert.InRange(pages, 3, 4);
    }

    [Theory]
    [InlineData(0, 4, "0123", "bytes 0-3/10")]
    [InlineData(6, 4, "6789", "bytes 6-9/10")]
    [InlineData(9, 1, "9", "bytes 9-9/10")]
    [InlineData(8, 100, "89", "bytes 8-9/10")]
    public async Task A_range_is_read(long offset, long length, string text, string contentRange)
    {
        var version = await PutAsync("range", "0123456789");

        using var reply = await Store.ReadAsync(new StoredObject("range", 10, version), new ByteRange(offset, length), Token);
        using var reader = new StreamReader(reply.Body);

        Assert.Equal((206, contentRange, version), (reply.Status, reply.ContentRange, reply.Version));
        Assert.Equal(text, await reader.ReadToEndAsync(Token));
    }

    [Fact]
    public async Task A_range_behind_the_end_is_refused()
    {
        var version = await PutAsync("short", "0123");

        await StoreFailureAssert.ThrowsAsync(StoreFailure.Refused, () => ReadAsync(new StoredObject("short", 9, version), 5, 4));
    }

    [Fact]
    public async Task A_changed_object_is_not_read()
    {
        var version = await PutAsync("changing", "old");
        await PutAsync("changing", "new", version);

        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => ReadAsync(new StoredObject("changing", 3, version), 0, 3));
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => ReadAsync(new StoredObject("gone", 3, version), 0, 3));
    }

    [Fact]
    public async Task An_object_is_written_only_over_what_is_expected()
    {
        var first = await PutAsync("claim", "1");
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => PutAsync("claim", "2"));

        var second = await PutAsync("claim", "2", first);
        Assert.NotEqual(first, second);

        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => PutAsync("claim", "3", first));
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => PutAsync("other", "3", first));
        Assert.Null(await Store.FindAsync("other", Token));
        Assert.Equal("2", await ReadAsync(new StoredObject("claim", 1, second), 0, 1));
    }

    [Fact]
    public async Task An_object_is_deleted_only_if_it_is_the_expected_one()
    {
        var first = await PutAsync("leaving", "1");
        var second = await PutAsync("leaving", "2", first);

        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.DeleteAsync("leaving", first, Token));
        await Store.DeleteAsync("leaving", second, Token);

        Assert.Null(await Store.FindAsync("leaving", Token));
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.DeleteAsync("leaving", second, Token));
    }

    [Fact]
    public async Task An_empty_object_is_written()
    {
        await PutAsync("empty", "");

        Assert.Equal(0, (await Store.FindAsync("empty", Token))?.Length);
    }

    [Fact]
    public async Task A_request_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        await Store.FindAsync("any", Token);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.FindAsync("any", cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ListAsync("", null, cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ReadAsync(new StoredObject("any", 1, "\"1\""), new ByteRange(0, 1), cancellation.Token));
    }

    private Task<string> PutAsync(string key, string content, string? replaces = null) =>
        Store.PutAsync(key, Encoding.UTF8.GetBytes(content), Run, replaces, Token);

    private async Task<string> ReadAsync(StoredObject source, long offset, long length)
    {
        using var reply = await Store.ReadAsync(source, new ByteRange(offset, length), Token);
        using var reader = new StreamReader(reply.Body);
        return await reader.ReadToEndAsync(Token);
    }
}
