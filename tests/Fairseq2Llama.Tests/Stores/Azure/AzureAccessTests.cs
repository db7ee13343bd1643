using System.Net;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Whom a container lets in, and what the others are told.</summary>
[External]
public sealed class AzureAccessTests(Azurite azurite)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sig=bm90IGl0")]
    [InlineData("?sv=2020-10-02&sr=c&sp=rl&se=2099-01-01T00%3A00%3A00Z&sig=bm90IGl0")]
    public async Task A_wrong_SAS_is_refused_and_not_shown(string signature)
    {
        var store = Azurite.Open(azurite.CreateContainer(), Azurite.Secret(signature));

        foreach (var request in Requests(store))
        {
            var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, request);
            Assert.Contains("SAS", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("bm90IGl0", e.ToString(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("bm90IGl0", store.AddressOf("key"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_SAS_is_refused()
    {
        var container = azurite.CreateContainer();

        var e = await StoreFailureAssert.ThrowsAsync(
            StoreFailure.Denied, () => Azurite.Open(container, azurite.Sign(container, hours: -1)).FindAsync("key", Token));

        Assert.Contains("expired", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_SAS_that_may_only_read_does_not_write()
    {
        var container = azurite.CreateContainer();
        var store = Azurite.Open(container, azurite.Sign(container, "rl"));

        Assert.Empty((await store.ListAsync("", null, Token)).Objects);
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.PutAsync("key", new byte[1], "run", null, Token));
        await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.UploadAsync("key", "run", 1, new byte[1], Token));
    }

    [Fact]
    public async Task A_SAS_may_have_its_question_mark_and_the_line_that_it_was_copied_with()
    {
        var container = azurite.CreateContainer();
        var signature = new NetworkCredential("", azurite.Sign(container)).Password;
        Assert.StartsWith("?", signature, StringComparison.Ordinal);

        Assert.Null(await Azurite.Open(container, Azurite.Secret($"{signature}\r\n")).FindAsync("key", Token));
        Assert.Null(await Azurite.Open(container, Azurite.Secret(signature[1..])).FindAsync("key", Token));
    }

    [Fact]
    public async Task Anybody_reads_a_public_container()
    {
        var container = azurite.CreateContainer(isPublic: true);
        var version = await azurite.Open(container).PutAsync("key", "text"u8.ToArray(), "run", null, Token);
        var store = Azurite.Open(container, signature: null);

        Assert.Equal(["key"], (await store.ListAsync("", null, Token)).Objects.Select(found => found.Key));
        Assert.Equal("run", (await store.FindAsync("key", Token))?.Run);
        Assert.Null(await store.FindAsync("other", Token));
        using var reply = await store.ReadAsync(new StoredObject("key", 4, version), new ByteRange(1, 2), Token);
        Assert.Equal("bytes 1-2/4", reply.ContentRange);

        var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, () => store.PutAsync("key", new byte[1], "run", version, Token));
        Assert.Contains("-SasToken", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_reads_a_container_that_is_not_public()
    {
        var store = Azurite.Open(azurite.CreateContainer(), signature: null);

        foreach (var request in Requests(store))
        {
            var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Denied, request);
            Assert.Contains("-SasToken", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_container_is_named()
    {
        var missing = new Uri($"{azurite.Account}/nowhere");
        var store = Azurite.Open(missing, azurite.Sign(missing));

        foreach (var request in Requests(store))
        {
            var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Refused, request);
            Assert.StartsWith($"There is no container 'nowhere' in {azurite.Account}.", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_store_that_can_not_be_reached_may_be_later()
    {
        var store = Azurite.Open(new Uri("http://127.0.0.1:1/devstoreaccount1/runs"), signature: null);

        foreach (var request in Requests(store))
        {
            var e = await StoreFailureAssert.ThrowsAsync(StoreFailure.Transient, request);
            Assert.StartsWith("127.0.0.1 can't be reached: ", e.Message, StringComparison.Ordinal);
        }
    }

    private static Func<Task>[] Requests(IObjectClient store) =>
    [
        () => store.ListAsync("", null, Token),
        () => store.FindAsync("key", Token),
        () => store.ReadAsync(new StoredObject("key", 1, "\"0x1\""), new ByteRange(0, 1), Token),
        () => store.PutAsync("key", new byte[1], "run", null, Token),
        () => store.DeleteAsync("key", "\"0x1\"", Token),
        () => store.UploadAsync("key", "run", 1, new byte[1], Token),
        () => store.CompleteAsync("key", "run", "run", [], null, Token),
    ];
}
