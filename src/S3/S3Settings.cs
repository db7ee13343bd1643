using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>Configures the SDK: one call is one request, and a body is sent and received as it is.</summary>
internal static class S3Settings
{
    private const string DefaultRegion = "us-east-1";

    /// <summary>The settings of a client.</summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.Refused"/> if the AWS configuration can't be read.</exception>
    public static AmazonS3Config Of(StoreAccess access)
    {
        try
        {
            return Make(access);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // The SDK's message repeats the line that it does not understand, which may be a secret.
            throw new StoreException(
                StoreFailure.Refused, "The files of the AWS configuration can't be read. 'aws configure list' says what is wrong with them.");
        }
    }

    private static AmazonS3Config Make(StoreAccess access)
    {
        var region = RegionOf(access);
        var config = new AmazonS3Config
        {
            // The caller retries, for all stores in the same way.
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Timeout = TimeSpan.FromSeconds(100),
            // Without this, bodies are framed in a way that many compatible stores don't understand.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            AllowAutoRedirect = false,
            DisableLogging = true,
            Profile = access.ProfileName is null ? null : new Profile(access.ProfileName),
        };

        // The SDK also finds an endpoint in AWS_ENDPOINT_URL and in profiles.
        if ((access.EndpointUrl?.ToString() ?? config.ServiceURL) is { } endpoint)
        {
            config.ServiceURL = endpoint;
            config.AuthenticationRegion = region;
            config.ForcePathStyle = true;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        return config;
    }

    /// <summary>The SDK's own search ends at the metadata of the instance, which takes seconds where there is none.</summary>
    private static string RegionOf(StoreAccess access) =>
        FirstOf(
            access.Region,
            access.ProfileName is { } name ? RegionOfProfile(name) : null,
            Environment.GetEnvironmentVariable("AWS_REGION"),
            Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION"),
            RegionOfProfile(DefaultAWSCredentialsIdentityResolver.GetProfileName())) ?? DefaultRegion;

    private static string? RegionOfProfile(string name) =>
        new CredentialProfileStoreChain().TryGetProfile(name, out var profile) ? profile.Region?.SystemName : null;

    private static string? FirstOf(params ReadOnlySpan<string?> values)
    {
        foreach (var value in values)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                return value;
            }
        }

        return null;
    }
}
