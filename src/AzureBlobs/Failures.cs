using System.Globalization;
using Azure;
using Azure.Identity;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>Says what an exception of the SDK means. Its own messages go on with the headers of the reply, so only their first lines are used.</summary>
internal static class Failures
{
    /// <summary>Whether an exception says that a request failed.</summary>
    public static bool AreSaidBy(Exception e) =>
        e is RequestFailedException or AggregateException or AuthenticationFailedException or OperationCanceledException or HttpRequestException or IOException;

    /// <param name="e">What a request has thrown; not because its caller has cancelled it.</param>
    /// <param name="access">Who asked.</param>
    /// <param name="container">Where.</param>
    public static StoreException Of(Exception e, BlobAccess access, ContainerAddress container) => e switch
    {
        StoreException known => known,
        AggregateException { InnerExceptions: [.., var last] } => Of(last, access, container),
        RequestFailedException { Status: > 0 } reply => OfReply(reply, access, container),
        AuthenticationFailedException => new StoreException(
            StoreFailure.Denied, $"Azure no longer signs in: {FirstLineOf(e.Message)} Sign in again with Connect-AzAccount or az login.", e),
        OperationCanceledException => new StoreException(StoreFailure.Transient, $"{container.Uri.Host} does not answer.", e),
        _ => new StoreException(StoreFailure.Transient, $"{container.Uri.Host} can't be reached: {FirstLineOf(e.Message)}", e),
    };

    /// <summary>The first line of a message, as a sentence.</summary>
    public static string FirstLineOf(string message)
    {
        var line = message.AsSpan().Trim();
        line = (line.IndexOfAny('\r', '\n') is var end and >= 0 ? line[..end] : line).TrimEnd();
        return line.IsEmpty || line[^1] == '.' ? line.ToString() : $"{line}.";
    }

    /// <summary>What the store says, with its name for it.</summary>
    public static string SaidBy(RequestFailedException e)
    {
        var line = FirstLineOf(e.Message);

        // The reply has no text, or none that the SDK understands.
        if (line.StartsWith("Service request failed", StringComparison.Ordinal))
        {
            line = e.GetRawResponse() is { ReasonPhrase: { Length: > 0 } reason } ? FirstLineOf(reason) : "";
        }

        return $"{line} ({(string.IsNullOrEmpty(e.ErrorCode) ? string.Create(CultureInfo.InvariantCulture, $"status {e.Status}") : e.ErrorCode)})".TrimStart();
    }

    private static StoreException OfReply(RequestFailedException e, BlobAccess access, ContainerAddress container) => (e.Status, e.ErrorCode) switch
    {
        (408 or 429 or (>= 500 and not 501), _) => new StoreException(StoreFailure.Transient, $"Azure can't answer now: {SaidBy(e)}.", e)
        {
            RetryAfter = RetryAfter(e),
        },

        // Bytes were damaged on their way.
        (400, "Md5Mismatch") => new StoreException(StoreFailure.Transient, $"Azure has received something else than was sent: {SaidBy(e)}.", e),

        (401 or 403, _) or (409, "PublicAccessNotPermitted") => new StoreException(StoreFailure.Denied, Denial.Of(e, access, container), e),

        // What it says to nobody of all that nobody may read.
        (404, "ResourceNotFound") when access.Kind == AccessKind.Anonymous => new StoreException(StoreFailure.Denied, Denial.Of(e, access, container), e),

        (404, "ContainerNotFound") or (409, "ContainerBeingDeleted") => new StoreException(
            StoreFailure.Refused,
            $"There is no container '{container.Name}' in {container.Account.AbsoluteUri.TrimEnd('/')}. Check the address, or create the container first.",
            e),

        (409 or 412, { } code) when code.StartsWith("Lease", StringComparison.Ordinal) => new StoreException(
            StoreFailure.Refused, $"Another program has a lease on the object: {SaidBy(e)}. Wait until it is done, or break the lease.", e),

        (404 or 412, _) or (409, "BlobAlreadyExists" or "ResourceAlreadyExists") => new StoreException(
            StoreFailure.Changed, $"The object has changed meanwhile: {SaidBy(e)}.", e),

        // Whoever writes an object discards the blocks that others have uploaded for it.
        (400, "InvalidBlockList") => new StoreException(StoreFailure.Changed, $"Another program has written the object meanwhile: {SaidBy(e)}.", e),

        (400, "InvalidBlobOrBlock") => new StoreException(
            StoreFailure.Refused,
            $"Another program has begun to upload the object and has not finished: {SaidBy(e)}. Choose another folder; Azure removes what is unfinished after a week.",
            e),

        _ => new StoreException(StoreFailure.Refused, $"Azure refuses: {SaidBy(e)}.", e),
    };

    private static TimeSpan? RetryAfter(RequestFailedException e)
    {
        var value = e.GetRawResponse() is { } reply && reply.Headers.TryGetValue("Retry-After", out var header) ? header : null;

        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return TimeSpan.FromSeconds(seconds);
        }

        return DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? TimeSpan.FromTicks(Math.Max(0, (time - DateTimeOffset.UtcNow).Ticks))
            : null;
    }
}
