using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// Whether a reply is what was asked for. A server that answers with all of a file where a range was asked for makes SDKs return wrong bytes without
/// an error.
/// </summary>
internal static class RangeReplyCheck
{
    /// <exception cref="StoreException">It is something else.</exception>
    public static void Require(RangeReply reply, StoredObject source, ByteRange range)
    {
        // Proxies may drop an ETag, but the condition of the request was met.
        if (reply.Version is { } version && version != source.Version)
        {
            throw new StoreException(StoreFailure.Changed, "The object was changed.");
        }

        var isWhole = range.Offset == 0 && range.Length == source.Length;

        if (reply.Status == (int)HttpStatusCode.OK && isWhole)
        {
            return;
        }

        if (reply.Status != (int)HttpStatusCode.PartialContent)
        {
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"status {reply.Status} instead of 206"));
        }

        if (!ContentRangeHeaderValue.TryParse(reply.ContentRange, out var found))
        {
            throw Wrong("no valid Content-Range");
        }

        if (found.From != range.Offset || found.To != range.End - 1 || (found.HasLength && found.Length != source.Length))
        {
            throw Wrong($"'{reply.ContentRange}' instead of bytes {range.Offset}-{range.End - 1}/{source.Length}");
        }
    }

    private static StoreException Wrong(string what) => new(
        StoreFailure.Refused,
        $"The server answered a request for a range with {what}. Files can be read only from servers that answer range requests, and a proxy in between may not.");
}
