using System.Globalization;
using Azure;
using Azure.Core;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>
/// A request for a range, and its reply as it is. The SDK's own download asks again by itself, several times, when the connection breaks, and
/// believes whatever it then gets.
/// </summary>
internal static class RangeRequest
{
    /// <exception cref="RequestFailedException">The store refuses.</exception>
    public static async Task<RangeReply> SendAsync(BlobPipeline pipeline, Uri address, ByteRange range, string version, CancellationToken cancellationToken)
    {
        using var message = pipeline.Requests.CreateMessage();
        message.BufferResponse = false;

        var request = message.Request;
        request.Method = RequestMethod.Get;
        request.Uri.Reset(address);
        request.Headers.Add("x-ms-version", pipeline.Version);
        request.Headers.Add("x-ms-range", string.Create(CultureInfo.InvariantCulture, $"bytes={range.Offset}-{range.End - 1}"));
        request.Headers.Add("If-Match", version);

        await pipeline.Requests.SendAsync(message, cancellationToken);
        var reply = message.Response;

        // To the SDK, some conflicts are no errors.
        if (reply.Status >= 400)
        {
            throw new RequestFailedException(reply);
        }

        return new RangeReply(reply.Status, HeaderOf("Content-Range"), HeaderOf("ETag"), message.ExtractResponseContent() ?? Stream.Null);

        string? HeaderOf(string name) => reply.Headers.TryGetValue(name, out var value) ? value : null;
    }
}
