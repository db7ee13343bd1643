using System.Net;
using Fairseq2Llama.Isolation;
using Fairseq2Llama.Stores.Http;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>Which store an address is of. Its SDK is loaded when the first address needs it.</summary>
internal static class ObjectStores
{
    private static readonly Lazy<IObjectClientFactory> Azure = new(() => Load("AzureBlobs", "AzureBlobFactory"));
    private static readonly Lazy<IObjectClientFactory> S3 = new(() => Load("S3", "S3Factory"));

    /// <summary>Those of Azure's clouds, and of accounts in DNS zones.</summary>
    private static readonly string[] AzureHosts =
        [".blob.core.windows.net", ".blob.core.usgovcloudapi.net", ".blob.core.chinacloudapi.cn", ".blob.storage.azure.net"];

    /// <summary>Opens the store of an address.</summary>
    /// <returns>The store, and the key of the address in it.</returns>
    /// <exception cref="CheckpointException">It is no such address.</exception>
    public static (RemoteStore Store, string Key) Open(CheckpointAddress address)
    {
        var (client, key) = OpenClient(address);
        return (new RemoteStore(client, address.Access), key);
    }

    private static (IObjectClient Client, string Key) OpenClient(CheckpointAddress address)
    {
        var (scheme, rest) = address.Text.Split("://", 2) is [var first, var second] ? (first, second) : (address.Text, "");

        if (scheme.Equals("s3", StringComparison.OrdinalIgnoreCase))
        {
            var (bucket, key) = Split(rest, "/");
            return (S3.Value.Open(new Uri($"s3://{Name(address, bucket, "bucket")}"), address.Access), key);
        }

        if (scheme.Equals("az", StringComparison.OrdinalIgnoreCase))
        {
            return OpenAzure(address, AccountOf(address), rest);
        }

        if (!Uri.TryCreate(address.Text, UriKind.Absolute, out var uri))
        {
            throw Wrong(address, "does not name a server");
        }

        if (address.HasUser || uri.Fragment.Length > 0)
        {
            throw Wrong(address, "has a user name or a '#', which addresses of checkpoints can't have");
        }

        if (address.Access.EndpointUrl is { } endpoint && IsBelow(uri, endpoint))
        {
            return OpenAzure(address, endpoint, Uri.UnescapeDataString(uri.AbsolutePath)[endpoint.AbsolutePath.Length..].TrimStart('/'));
        }

        if (Array.Exists(AzureHosts, host => uri.Host.EndsWith(host, StringComparison.OrdinalIgnoreCase)))
        {
            return OpenAzure(address, new Uri(uri.GetLeftPart(UriPartial.Authority)), Uri.UnescapeDataString(uri.AbsolutePath).TrimStart('/'));
        }

        var query = address.Access.SasToken is { } token ? new NetworkCredential("", token).Password.TrimStart('?') : "";
        return (new HttpFiles(new Uri(uri, "/"), query), Uri.UnescapeDataString(uri.AbsolutePath).Trim('/'));
    }

    private static (IObjectClient Client, string Key) OpenAzure(CheckpointAddress address, Uri account, string path)
    {
        var (container, key) = Split(path, "/");
        return (Azure.Value.Open(new Uri($"{account.GetLeftPart(UriPartial.Path).TrimEnd('/')}/{Name(address, container, "container")}"), address.Access), key);
    }

    private static Uri AccountOf(CheckpointAddress address) =>
        address.Access.EndpointUrl
        ?? (Environment.GetEnvironmentVariable("AZURE_STORAGE_ACCOUNT") is { Length: > 0 } account ? new Uri($"https://{account}{AzureHosts[0]}") : null)
        ?? throw Wrong(address, "does not name an account of Azure Storage. Set AZURE_STORAGE_ACCOUNT, or give the address of the account with -EndpointUrl");

    private static bool IsBelow(Uri address, Uri endpoint) =>
        address.Authority.Equals(endpoint.Authority, StringComparison.OrdinalIgnoreCase)
        && (address.AbsolutePath + '/').StartsWith(endpoint.AbsolutePath.TrimEnd('/') + '/', StringComparison.Ordinal);

    private static string Name(CheckpointAddress address, string name, string what) =>
        name.Length > 0 ? name : throw Wrong(address, $"does not name a {what}");

    private static (string First, string Other) Split(string text, string separator) =>
        text.Split(separator, 2) is [var first, var rest] ? (first, rest.Trim('/')) : (text, "");

    private static IObjectClientFactory Load(string kind, string type) =>
        IsolatedAssemblies.Create<IObjectClientFactory>($"Fairseq2Llama.{kind}", $"Fairseq2Llama.{kind}.{type}", kind);

    private static CheckpointException Wrong(CheckpointAddress address, string what) =>
        new(CheckpointErrorCode.CheckpointNotFound, $"'{address}' {what}.", address.Text);
}
