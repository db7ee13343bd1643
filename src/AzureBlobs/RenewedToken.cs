using Azure.Core;
using Azure.Identity;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>
/// A credential that remembers its token. Others ask anew each time, and some of those start a program for that; requests that need a token at the
/// same time share one.
/// </summary>
/// <param name="credential">What has the tokens.</param>
internal sealed class RenewedToken(TokenCredential credential) : TokenCredential
{
    /// <summary>A token is renewed before it expires on its way.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private readonly object _lock = new();
    private AccessToken _token;
    private Task<AccessToken>? _renewal;

    /// <summary>What tokens for Azure Storage are asked for with.</summary>
    public static TokenRequestContext Storage { get; } = new(["https://storage.azure.com/.default"]);

    /// <inheritdoc/>
    public override async ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        // The store did not like the token and says what another one must have.
        if (requestContext.Claims is not null)
        {
            return await credential.GetTokenAsync(requestContext, cancellationToken);
        }

        Task<AccessToken> renewal;
        AccessToken token;

        lock (_lock)
        {
            token = _token;

            if (token.ExpiresOn - DateTimeOffset.UtcNow > Margin)
            {
                return token;
            }

            renewal = _renewal ??= Task.Run(() => RenewAsync(requestContext), CancellationToken.None);
        }

        try
        {
            return await renewal.WaitAsync(cancellationToken);
        }
        catch (AuthenticationFailedException) when (token.ExpiresOn > DateTimeOffset.UtcNow)
        {
            return token;
        }
    }

    /// <inheritdoc/>
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        GetTokenAsync(requestContext, cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>Others wait for it, so that whoever began it can't cancel it.</summary>
    private async Task<AccessToken> RenewAsync(TokenRequestContext requestContext)
    {
        try
        {
            var token = await credential.GetTokenAsync(requestContext, CancellationToken.None);

            lock (_lock)
            {
                _token = token;
            }

            return token;
        }
        finally
        {
            lock (_lock)
            {
                _renewal = null;
            }
        }
    }
}
