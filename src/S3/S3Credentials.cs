using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>Finds credentials where the AWS SDK and its tools do. Where there are none, a public bucket can still be read.</summary>
internal static class S3Credentials
{
    /// <summary>
    /// Where no instance answers, the SDK asks for its metadata for up to half a minute. An instance answers within milliseconds, and nothing else
    /// that the search does takes long: credentials that have to be fetched are fetched by the first request.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <summary>The credentials of the named profile, or the first of the usual order.</summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.Denied"/> if a profile is named that does not exist, or is not complete.</exception>
    public static async Task<AWSCredentials> FindAsync(string? profile)
    {
        try
        {
            return profile is null
                ? await Task.Run(() => DefaultAWSCredentialsIdentityResolver.GetCredentials()).WaitAsync(Patience).ConfigureAwait(false)
                : OfProfile(profile);
        }
        catch (ProfileNotFoundException e)
        {
            throw NoProfile(DefaultAWSCredentialsIdentityResolver.GetProfileName(), e);
        }
        catch (Exception e) when (profile is null && e is AmazonClientException or TimeoutException)
        {
            return new AnonymousAWSCredentials();
        }
    }

    private static AWSCredentials OfProfile(string name)
    {
        var chain = new CredentialProfileStoreChain();

        if (!chain.TryGetProfile(name, out var profile))
        {
            throw NoProfile(name, cause: null);
        }

        return AWSCredentialsFactory.TryGetAWSCredentials(profile, chain, out var credentials)
            ? credentials
            : throw new StoreException(
                StoreFailure.Denied, $"The AWS profile '{name}' has no usable credentials. Complete it with 'aws configure', or name another profile.");
    }

    private static StoreException NoProfile(string name, Exception? cause) => new(
        StoreFailure.Denied,
        $"There is no AWS profile '{name}'. 'aws configure list-profiles' lists the profiles; name one of them with -ProfileName or AWS_PROFILE.",
        cause);
}
