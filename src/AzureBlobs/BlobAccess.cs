using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>How a container is asked: with a SAS, as whoever is signed in, or as nobody.</summary>
internal sealed class BlobAccess
{
    private readonly string? _signature;
    private readonly TokenCredential? _user;

    private BlobAccess(AccessKind kind, BlobServiceClient service, BlobClientOptions options, string? signature = null, TokenCredential? user = null)
    {
        Kind = kind;
        Pipeline = new BlobPipeline(service, options);
        _signature = signature;
        _user = user;
    }

    /// <summary>Who asks.</summary>
    public AccessKind Kind { get; }

    /// <summary>What its requests go through.</summary>
    public BlobPipeline Pipeline { get; }

    /// <summary>Why signing in failed, for whoever expected to be signed in; null where nobody was.</summary>
    public string? SignInFailure { get; private init; }

    /// <summary>Asks with a SAS if there is one, else as whoever is signed in, else as nobody.</summary>
    /// <param name="container">Where requests go.</param>
    /// <param name="signature">The SAS; null without one.</param>
    /// <param name="findUser">Finds a credential; asked only where it is needed.</param>
    /// <param name="options">The options of the SDK.</param>
    public static async Task<BlobAccess> ChooseAsync(ContainerAddress container, string? signature, Func<TokenCredential> findUser, BlobClientOptions options)
    {
        if (signature is not null)
        {
            var service = new BlobServiceClient(container.Account, new AzureSasCredential(signature), options);
            return new BlobAccess(AccessKind.SharedAccessSignature, service, options, signature);
        }

        var failure = default(string);

        // Whoever reads a token on its way can use it.
        if (container.IsEncrypted)
        {
            try
            {
                var user = new RenewedToken(findUser());
                await user.GetTokenAsync(RenewedToken.Storage, CancellationToken.None);
                return new BlobAccess(AccessKind.SignedIn, new BlobServiceClient(container.Account, user, options), options, user: user);
            }
            catch (CredentialUnavailableException)
            {
            }
            catch (Exception e) when (e is AuthenticationFailedException or InvalidOperationException)
            {
                // The container may be public. If it isn't, the store refuses, and then this is worth telling.
                failure = Failures.FirstLineOf(e.Message);
            }
        }

        return new BlobAccess(AccessKind.Anonymous, new BlobServiceClient(container.Account, options), options) { SignInFailure = failure };
    }

    /// <summary>The address of an object for the store itself, which reads it to copy it. A SAS is part of that, so it is a secret.</summary>
    public Uri Sign(Uri address) => _signature is null ? address : new UriBuilder(address) { Query = _signature }.Uri;

    /// <summary>What else the store needs to read it; null where that is nothing.</summary>
    public async Task<HttpAuthorization?> AuthorizeAsync(CancellationToken cancellationToken) =>
        _user is null ? null : new HttpAuthorization("Bearer", (await _user.GetTokenAsync(RenewedToken.Storage, cancellationToken)).Token);
}
