using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Objects that are uploaded in parts.</summary>
[External]
public sealed class AzureUploadTests(Azurite azurite)
{
    private readonly Lazy<IObjectClient> _store = new(() => azurite.Open(azurite.CreateContainer()));
    private readonly string _run = Guid.NewGuid().ToString("N");

    private IObjectClient Store => _store.Value;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_become_an_object_when_it_is_complete()
    {
        var bytes = RandomBytes(300_000);
        var upload = await Store.BeginAsync("model.pt", _run, Token);
        var third = await UploadAsync("model.pt", upload, 7, bytes.AsMemory(200_000));
        var first = await UploadAsync("model.pt", upload, 1, bytes.AsMemory(1000, 5));
        first = await UploadAsync("model.pt", upload, 1, bytes.AsMemory(0, 1));
        var second = await UploadAsync("model.pt", upload, 2, bytes.AsMemory(1, 199_999));

        Assert.Null(await Store.FindAsync("model.pt", Token));
        Assert.Empty((await Store.ListAsync("", null, Token)).Objects);

        var version = await Store.CompleteAsync("model.pt", upload, _run, [first, second, third], null, Token);

        var found = await Store.FindAsync("model.pt", Token);
        Assert.Equal((version, _run, 300_000L), (found?.Version, found?.Run, found?.Length ?? 0));
        Assert.Equal(bytes, await ReadAsync(found!));
    }

    [Fact]
    public async Task Of_two_uploads_of_one_object_one_is_completed()
    {
        var other = Guid.NewGuid().ToString("N");
        byte[] mine = [1, 2, 3], theirs = [4, 5];
        var (upload, otherUpload) = (await Store.BeginAsync("shared", _run, Token), await Store.BeginAsync("shared", other, Token));
        var part = await UploadAsync("shared", upload, 1, mine);
        var otherPart = await UploadAsync("shared", otherUpload, 1, theirs);

        await Store.CompleteAsync("shared", otherUpload, other, [otherPart], null, Token);
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.CompleteAsync("shared", upload, _run, [part], null, Token));

        var found = await Store.FindAsync("shared", Token);
        Assert.Equal(other, found?.Run);
        Assert.Equal(theirs, await ReadAsync(found!));

        // That the object is gone again does not bring back the blocks.
        await Store.DeleteAsync("shared", found!.Version, Token);
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.CompleteAsync("shared", upload, _run, [part], null, Token));
    }

    [Fact]
    public async Task An_upload_replaces_only_what_is_expected()
    {
        var old = await Store.PutAsync("old", new byte[1], _run, null, Token);
        var upload = await Store.BeginAsync("old", _run, Token);
        var part = await UploadAsync("old", upload, 1, new byte[2]);

        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.CompleteAsync("old", upload, _run, [part], null, Token));
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.CompleteAsync("old", upload, _run, [part], "\"0x0\"", Token));
        var version = await Store.CompleteAsync("old", upload, _run, [part], old, Token);

        Assert.NotEqual(old, version);

        // The reply to the first request was lost, and the second finds what it has made.
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Changed, () => Store.CompleteAsync("old", upload, _run, [part], old, Token));
        Assert.Equal(_run, (await Store.FindAsync("old", Token))?.Run);
    }

    [Fact]
    public async Task Nothing_is_left_to_discard()
    {
        var upload = await Store.BeginAsync("left", _run, Token);
        await UploadAsync("left", upload, 1, new byte[1]);

        await Store.DiscardAsync("left", upload, Token);

        Assert.Empty(await Store.FindUploadsAsync("left", Token));
        Assert.Null(await Store.FindAsync("left", Token));
    }

    [Fact]
    public async Task A_range_is_copied_inside_the_store()
    {
        var container = azurite.CreateContainer();
        var from = azurite.Open(container);
        var bytes = RandomBytes(100_000);
        var version = await from.PutAsync("a b+ü%.pt", bytes, _run, null, Token);
        var source = new StoredObject("a b+ü%.pt", bytes.Length, version);

        Assert.True(Store.CanCopyFrom(from));
        var upload = await Store.BeginAsync("copy", _run, Token);
        var head = await UploadAsync("copy", upload, 1, new byte[] { 1 });
        var token = await Store.CopyAsync("copy", upload, 2, from, source, new ByteRange(10, 99_990), Token);
        Assert.NotNull(token);
        await Store.CompleteAsync("copy", upload, _run, [head, new UploadedPart(2, token)], null, Token);

        Assert.Equal([1, .. bytes[10..]], await ReadAsync((await Store.FindAsync("copy", Token))!));
    }

    [Fact]
    public async Task A_changed_object_is_not_copied()
    {
        var version = await Store.PutAsync("source", new byte[10], _run, null, Token);
        await Store.PutAsync("source", new byte[11], _run, version, Token);

        await StoreFailureAssert.ThrowsAsync(
            StoreFailure.Changed, () => Store.CopyAsync("copy", _run, 1, Store, new StoredObject("source", 10, version), new ByteRange(0, 10), Token));
        await StoreFailureAssert.ThrowsAsync(
            StoreFailure.Changed, () => Store.CopyAsync("copy", _run, 1, Store, new StoredObject("gone", 10, version), new ByteRange(0, 10), Token));
    }

    [Fact]
    public async Task What_the_store_may_not_read_it_does_not_copy()
    {
        var container = azurite.CreateContainer();
        var version = await azurite.Open(container).PutAsync("source", new byte[10], _run, null, Token);
        var source = new StoredObject("source", 10, version);

        foreach (var from in new[] { Azurite.Open(container, azurite.Sign(container, "l")), Azurite.Open(container, signature: null) })
        {
            Assert.Null(await Store.CopyAsync("copy", _run, 1, from, source, new ByteRange(0, 10), Token));
        }
    }

    [Fact]
    public void Only_one_account_copies()
    {
        var account = new Uri("http://127.0.0.1:10000/devstoreaccount1");
        var here = Azurite.Open(new Uri($"{account}/one"), signature: null);

        Assert.True(here.CanCopyFrom(Azurite.Open(new Uri($"{account}/two"), signature: null)));
        Assert.False(here.CanCopyFrom(Azurite.Open(new Uri(account, "/other/one"), signature: null)));
        Assert.False(here.CanCopyFrom(Azurite.Open(new Uri("https://other.blob.core.windows.net/one"), signature: null)));
    }

    private async Task<UploadedPart> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes) =>
        new(number, await Store.UploadAsync(key, upload, number, bytes, Token));

    private async Task<byte[]> ReadAsync(StoredObject source)
    {
        using var reply = await Store.ReadAsync(source, new ByteRange(0, source.Length), Token);
        using var bytes = new MemoryStream();
        await reply.Body.CopyToAsync(bytes, Token);
        return bytes.ToArray();
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
