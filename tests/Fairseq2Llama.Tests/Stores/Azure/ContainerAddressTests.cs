using Fairseq2Llama.AzureBlobs;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Azure;

/// <summary>Addresses of containers and of the objects in them.</summary>
public sealed class ContainerAddressTests
{
    [Theory]
    [InlineData("https://acct.blob.core.windows.net/runs", "https://acct.blob.core.windows.net/", "runs")]
    [InlineData("https://acct.blob.core.windows.net/runs/", "https://acct.blob.core.windows.net/", "runs")]
    [InlineData("https://ACCT.blob.core.windows.net:443/runs?sv=1&sig=2#3", "https://acct.blob.core.windows.net/", "runs")]
    [InlineData("https://acct.blob.core.windows.net/$root", "https://acct.blob.core.windows.net/", "$root")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/runs", "http://127.0.0.1:10000/devstoreaccount1", "runs")]
    [InlineData("http://localhost:54321/devstoreaccount1/runs", "http://localhost:54321/devstoreaccount1", "runs")]
    public void A_container_is_the_last_segment(string container, string account, string name)
    {
        var address = new ContainerAddress(new Uri(container));

        Assert.Equal((account, name), (address.Account.AbsoluteUri, address.Name));
        Assert.Equal($"{account.TrimEnd('/')}/{name}", address.AddressOf(""));
    }

    [Theory]
    [InlineData("https://acct.blob.core.windows.net")]
    [InlineData("https://acct.blob.core.windows.net/?sig=1")]
    public void An_account_is_no_container(string address)
    {
        var e = Assert.Throws<StoreException>(() => new ContainerAddress(new Uri(address)));

        Assert.Equal(StoreFailure.Refused, e.Failure);
        Assert.StartsWith("'https://acct.blob.core.windows.net' names no container.", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("step_1/model.pt", "step_1/model.pt", "step_1/model.pt")]
    [InlineData("a b+c.pt", "a b+c.pt", "a%20b%2Bc.pt")]
    [InlineData("größe/模型", "größe/模型", "gr%C3%B6%C3%9Fe/%E6%A8%A1%E5%9E%8B")]
    [InlineData("50%?#\\", "50%25%3F%23%5C", "50%25%3F%23%5C")]
    [InlineData("folder/", "folder/", "folder/")]
    [InlineData("a//b", "a//b", "a//b")]
    public void An_object_has_an_address_for_people_and_one_for_requests(string key, string readable, string escaped)
    {
        var address = new ContainerAddress(new Uri("https://acct.blob.core.windows.net/runs"));

        Assert.Equal($"https://acct.blob.core.windows.net/runs/{readable}", address.AddressOf(key));
        Assert.Equal($"https://acct.blob.core.windows.net/runs/{escaped}", address.UriOf(key).AbsoluteUri);
        Assert.Equal(address.UriOf(key).LocalPath, new Uri(address.AddressOf(key)).LocalPath);
    }
}
