using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <inheritdoc/>
[External]
public sealed class AzureCheckpointTests : AddressedCheckpointTests
{
    private readonly Uri _container;
    private readonly StoreAccess _access;
    private readonly IObjectClient _client;

    public AzureCheckpointTests(Azurite azurite)
    {
        _container = azurite.CreateContainer();
        _access = new StoreAccess { EndpointUrl = azurite.Account, SasToken = azurite.Sign(_container) };
        _client = azurite.Open(_container);
    }

    /// <summary>The account of such an address is that of -EndpointUrl.</summary>
    [Fact]
    public void An_address_may_name_the_container_alone()
    {
        PutFolder(Repository.Case("fs2"), "in");

        var checkpoint = CheckpointReader.Read(new CheckpointAddress($"az://{_container.Segments[^1]}/in", _access), cancellationToken: Token);

        Assert.Equal(At("in").Text, checkpoint.Path);
        Assert.Equal(CheckpointReader.Read(At("in"), cancellationToken: Token).Tensors.Select(tensor => tensor.Name), checkpoint.Tensors.Select(tensor => tensor.Name));
    }

    private protected override CheckpointAddress At(string key) => new($"{_container}/{key}", _access);

    private protected override void Put(string key, byte[] bytes) => _client.PutAsync(key, bytes, "test", replaces: null, Token).GetAwaiter().GetResult();

    private protected override IReadOnlyDictionary<string, byte[]> FilesIn(string key)
    {
        var store = new RemoteStore(_client, StoreAccess.Default);
        var folder = new ObjectFolder(store, key, Token);
        return folder.FileNames.ToDictionary(name => name, name => WholeFile.Read(folder.SourceOf(name)));
    }
}
