using System.Security;

namespace Fairseq2Llama;

/// <summary>How object stores are accessed.</summary>
public sealed record StoreAccess
{
    /// <summary>What is used if nobody says anything else.</summary>
    public static StoreAccess Default { get; } = new();

    /// <summary>
    /// A shared access signature (SAS) for Azure Blob Storage, with or without its question mark. Without one, the credentials are those of
    /// DefaultAzureCredential.
    /// </summary>
    public SecureString? SasToken { get; init; }

    /// <summary>The profile of the AWS configuration to use for S3. Without one, the AWS SDK looks for credentials in its usual order.</summary>
    public string? ProfileName { get; init; }

    /// <summary>The AWS region; without one, that of the profile or of AWS_REGION.</summary>
    public string? Region { get; init; }

    /// <summary>
    /// The address of another service that speaks the protocol of S3; or, for addresses that begin with it, that of Azure Blob Storage, such as
    /// <c>http://127.0.0.1:10000/devstoreaccount1</c> for Azurite.
    /// </summary>
    public Uri? EndpointUrl { get; init; }

    /// <summary>The number of requests for data that run at the same time. Of those for a few bytes, such as headers, there can be eight times as many.</summary>
    public int ThrottleLimit { get; init; } = 8;

    /// <summary>The number of bytes that a request asks for at most.</summary>
    public int RangeSize { get; init; } = 8 << 20;
}
