using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>Says what a failed request means.</summary>
internal static partial class S3Errors
{
    private const int MaxLength = 200;

    /// <summary>Whether an exception is that of a request, and not of somebody who has cancelled it.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is not StoreException && (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested);

    /// <summary>Whether the store does not have what it was asked to do.</summary>
    public static bool IsNotImplemented(StoreException exception) =>
        exception.InnerException is AmazonServiceException refusal
        && (refusal.StatusCode == HttpStatusCode.NotImplemented || refusal.ErrorCode == "NotImplemented");

    /// <summary>Whether the store knows the request, but does not do it to this object.</summary>
    public static bool IsInvalid(StoreException exception) => exception.InnerException is AmazonServiceException { ErrorCode: "InvalidRequest" };

    /// <summary>Whether an upload is complete, or was discarded.</summary>
    public static bool IsNoUpload(StoreException exception) => exception.InnerException is AmazonServiceException { ErrorCode: "NoSuchUpload" };

    /// <summary>Turns an exception of the SDK into one of ours.</summary>
    public static StoreException Explain(Exception exception, S3ErrorContext context)
    {
        if (exception is not AmazonServiceException { StatusCode: not 0 } refusal)
        {
            return ExplainNoReply(exception, context);
        }

        var reply = (refusal.InnerException as HttpErrorResponseException)?.Response;
        var failure = FailureOf(refusal);

        var message = MessageFor(refusal, failure, RegionIn(refusal, reply?.GetHeaderValue("x-amz-bucket-region")), context);

        return new StoreException(failure, message, exception)
        {
            RetryAfter = RetryAfterIn(reply?.GetHeaderValue("Retry-After")),
        };
    }

    private static StoreException ExplainNoReply(Exception exception, S3ErrorContext context) => exception switch
    {
        // What the program has written may be secret, so that the exception is not passed on.
        ProcessAWSCredentialException => new StoreException(
            StoreFailure.Denied, "The program that the AWS profile names in credential_process has failed. Run it to see why."),
        AmazonClientException { InnerException: IOException or HttpRequestException or TimeoutException } => new StoreException(
            StoreFailure.Transient, $"The service that gives the AWS credentials can't be reached: {FirstLine(exception.InnerException.Message)}", exception),
        AmazonClientException or InvalidOperationException => new StoreException(
            StoreFailure.Denied,
            $"The AWS credentials for '{context.Address}' can't be used: {FirstLine((exception.InnerException as AmazonServiceException ?? exception).Message)} "
            + "Sign in again, or name another profile.",
            exception),
        HttpRequestException { InnerException: AuthenticationException } => new StoreException(
            StoreFailure.Refused, $"The server of '{context.Address}' has no trusted certificate.", exception),
        // AmazonServiceException is what the SDK makes of a request that got no reply.
        IOException or HttpRequestException or TimeoutException or OperationCanceledException or AmazonServiceException => new StoreException(
            StoreFailure.Transient, $"The store of '{context.Address}' can't be reached: {FirstLine(exception.Message)}", exception),
        _ => new StoreException(StoreFailure.Refused, $"The request for '{context.Address}' failed: {FirstLine(exception.Message)}", exception),
    };

    private static StoreFailure FailureOf(AmazonServiceException refusal) => (refusal.ErrorCode, (int)refusal.StatusCode) switch
    {
        ("SlowDown" or "Throttling" or "ThrottlingException" or "RequestTimeout" or "InternalError" or "ServiceUnavailable", _) => StoreFailure.Transient,
        // Something was damaged on its way.
        ("BadDigest" or "IncompleteBody" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch", _) => StoreFailure.Transient,
        ("ExpiredToken" or "ExpiredTokenException" or "InvalidToken" or "TokenRefreshRequired", _) => StoreFailure.Denied,
        ("RequestTimeTooSkewed" or "NotImplemented", _) => StoreFailure.Refused,
        // Somebody else was writing the same key. Whoever asks again learns what is there now.
        ("ConditionalRequestConflict", _) => StoreFailure.Transient,
        ("NoSuchKey", _) => StoreFailure.Changed,
        (_, 409 or 412) => StoreFailure.Changed,
        (_, 401 or 403) => StoreFailure.Denied,
        (_, 408 or 429 or 500 or > 501) => StoreFailure.Transient,
        _ => StoreFailure.Refused,
    };

    private static string MessageFor(AmazonServiceException refusal, StoreFailure failure, string? region, S3ErrorContext context) => failure switch
    {
        _ when refusal.ErrorCode == "RequestTimeTooSkewed" =>
            $"The store of '{context.Address}' refuses requests because this computer's clock is wrong. Set the clock and try again.",
        _ when refusal.ErrorCode == "NoSuchBucket" => $"There is no bucket '{context.Bucket}'. Check its name, and -EndpointUrl if it isn't at AWS.",
        StoreFailure.Refused when region is not null && region != context.Region =>
            $"The bucket '{context.Bucket}' is in the region {region}, not in {context.Region}. Add -Region {region}.",
        StoreFailure.Denied when context.IsAnonymous =>
            $"Access to '{context.Address}' is denied, and no AWS credentials were found. "
            + "Name a profile with -ProfileName or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        StoreFailure.Denied => $"Access to '{context.Address}' is denied: {Words(refusal)} Check the AWS credentials and what they allow.",
        StoreFailure.Changed => $"'{context.Address}' is not what was expected: {Words(refusal)}",
        StoreFailure.Transient => $"The store of '{context.Address}' could not do it now: {Words(refusal)}",
        _ => $"The store refuses the request for '{context.Address}': {Words(refusal)}",
    };

    /// <summary>What the store says.</summary>
    private static string Words(AmazonServiceException refusal) =>
        string.IsNullOrWhiteSpace(refusal.Message) ? $"{refusal.ErrorCode}." : $"{refusal.ErrorCode}, {FirstLine(refusal.Message)}";

    private static string? RegionIn(AmazonServiceException refusal, string? header) =>
        !string.IsNullOrEmpty(header) ? header
        : ExpectedRegion().Match(refusal.Message ?? "") is { Success: true } match ? match.Groups[1].Value
        : null;

    private static TimeSpan? RetryAfterIn(string? header) =>
        !RetryConditionHeaderValue.TryParse(header, out var value) ? null
        : value.Delta ?? (value.Date - DateTimeOffset.UtcNow is { } wait && wait > TimeSpan.Zero ? wait : TimeSpan.Zero);

    private static string FirstLine(string message)
    {
        var line = message.Trim().Split('\n')[0].Trim();
        var text = line.Length <= MaxLength ? line : line[..MaxLength] + "…";
        return text.EndsWith('.') || text.EndsWith('…') ? text : text + ".";
    }

    [GeneratedRegex("expecting '([a-z0-9-]+)'")]
    private static partial Regex ExpectedRegion();
}
