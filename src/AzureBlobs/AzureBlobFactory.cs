using System.Net;
using System.Security;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class AzureBlobFactory : IObjectClientFactory
{
    /// <summary>How we are called in the logs of an account.</summary>
    private const string ApplicationId = "Fairseq2Llama";

    /// <summary>After this time without an answer, a request has failed. RemoteStore has less patience with data that stops coming.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    /// <inheritdoc/>
    public IObjectClient Open(Uri container, StoreAccess access) => Open(container, access, FindUser, transport: null);

    /// <summary>As <see cref="Open(Uri, StoreAccess)"/>, with what it would otherwise find in its surroundings.</summary>
    /// <param name="container">The container.</param>
    /// <param name="access">Credentials.</param>
    /// <param name="findUser">Finds whoever is signed in.</param>
    /// <param name="transport">What sends requests; null for that of the SDK.</param>
    internal static IObjectClient Open(Uri container, StoreAccess access, Func<TokenCredential> findUser, HttpPipelineTransport? transport)
    {
        var address = new ContainerAddress(container);
        var options = Configure(new BlobClientOptions());
        options.Retry.MaxRetries = 0;
        options.Retry.NetworkTimeout = Patience;
        options.Transport = transport ?? options.Transport;

        return new AzureBlobClient(address, () => BlobAccess.ChooseAsync(address, Reveal(access.SasToken), findUser, options));
    }

    private static DefaultAzureCredential FindUser() => new(Configure(new DefaultAzureCredentialOptions()));

    private static T Configure<T>(T options)
        where T : ClientOptions
    {
        options.Diagnostics.ApplicationId = ApplicationId;
        options.Diagnostics.IsDistributedTracingEnabled = false;
        options.Diagnostics.IsLoggingEnabled = false;
        return options;
    }

    private static string? Reveal(SecureString? secret) =>
        secret is { Length: > 0 } ? new NetworkCredential("", secret).Password.Trim().TrimStart('?') : null;
}
