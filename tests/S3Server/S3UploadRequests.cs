using System.Net.Http.Headers;
using System.Xml.Linq;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>Requests for uploads in parts.</summary>
internal sealed class S3UploadRequests(S3Bucket bucket, S3Server server)
{
    public Task BeginAsync(S3Exchange exchange)
    {
        var upload = new S3Upload(exchange.Key, server.NewUploadId(), exchange.Header("x-amz-checksum-algorithm"), exchange.Metadata());

        lock (bucket)
        {
            bucket.Uploads.Add(upload);
        }

        return exchange.SendXmlAsync(new XElement("InitiateMultipartUploadResult", new XElement("Key", upload.Key), new XElement("UploadId", upload.Id)));
    }

    public Task UploadAsync(S3Exchange exchange)
    {
        S3Objects.RequireChecksum(server, exchange);
        var part = Add(exchange, exchange.Body);
        exchange.SetHeader("ETag", part.Tag);
        return exchange.SendAsync(200);
    }

    public Task CopyAsync(S3Exchange exchange)
    {
        var path = Uri.UnescapeDataString(exchange.Header("x-amz-copy-source")!);

        if (server.Manners.HasFlag(S3Manners.TwiceDecodedSource))
        {
            path = Uri.UnescapeDataString(path) is var again && again.Contains('%', StringComparison.Ordinal) ? throw S3Refusal.NoKey : again;
        }

        var (name, key) = S3Target.Split(path.TrimStart('/'));
        var from = server.BucketOf(name);
        var range = RangeHeaderValue.Parse(exchange.Header("x-amz-copy-source-range")!).Ranges.Single();
        S3StoredObject source;

        lock (from)
        {
            source = from.Objects.GetValueOrDefault(key) ?? throw S3Refusal.NoKey;
        }

        if (!server.Manners.HasFlag(S3Manners.UnconditionalCopy) && exchange.Header("x-amz-copy-source-if-match") is { } expected && expected != source.Tag)
        {
            throw S3Refusal.Precondition;
        }

        if (source.Bytes.Length <= server.MinPartLength || range.To >= source.Bytes.Length)
        {
            throw new S3Refusal(400, "InvalidRequest", "The specified copy source is not supported as a byte-range copy source");
        }

        var part = Add(exchange, source.Bytes.AsMemory((int)range.From!.Value..(int)(range.To!.Value + 1)));
        return exchange.SendXmlAsync(new XElement("CopyPartResult", new XElement("ETag", part.Tag), new XElement("ChecksumCRC32", part.Checksum)));
    }

    public Task CompleteAsync(S3Exchange exchange)
    {
        var named = XElement.Parse(System.Text.Encoding.UTF8.GetString(exchange.Body)).Elements().ToArray();
        var tag = "";

        lock (bucket)
        {
            if (server.Manners.HasFlag(S3Manners.RepeatableCompletion) && bucket.Completed.Contains((exchange.Key, exchange.Argument("uploadId")!)))
            {
                return SendAsync(exchange, tag);
            }

            var upload = UploadOf(exchange);
            var parts = named.Select(element => PartOf(upload, element)).ToArray();

            if (parts.SkipLast(1).Any(part => part.Bytes.Length < server.MinPartLength))
            {
                throw new S3Refusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
            }

            if (!server.Manners.HasFlag(S3Manners.UnconditionalCompletion))
            {
                S3Objects.RequireConditions(server, bucket, exchange);
            }

            tag = S3StoredObject.TagOf(parts);
            bucket.Objects[exchange.Key] = new S3StoredObject(Join(parts), tag, upload.Metadata, server.Now);
            bucket.Uploads.Remove(upload);
            bucket.Completed.Add((upload.Key, upload.Id));
        }

        return SendAsync(exchange, tag);
    }

    public Task DiscardAsync(S3Exchange exchange)
    {
        lock (bucket)
        {
            bucket.Uploads.Remove(UploadOf(exchange));
        }

        return exchange.SendAsync(204);
    }

    public Task ListAsync(S3Exchange exchange)
    {
        var after = (Key: exchange.Argument("key-marker") ?? "", Id: exchange.Argument("upload-id-marker") ?? "");
        S3Upload[] rest;

        lock (bucket)
        {
            rest = [.. from upload in bucket.Uploads
                       where upload.Key.StartsWith(exchange.Argument("prefix") ?? "", StringComparison.Ordinal)
                       let order = string.CompareOrdinal(upload.Key, after.Key)
                       where order > 0 || (order == 0 && after.Id.Length > 0 && string.CompareOrdinal(upload.Id, after.Id) > 0)
                       orderby upload.Key, upload.Id
                       select upload];
        }

        var page = rest.Take(server.PageLength).ToArray();
        var isTruncated = rest.Length > page.Length;

        return exchange.SendXmlAsync(new XElement(
            "ListMultipartUploadsResult",
            new XElement("IsTruncated", isTruncated),
            isTruncated ? new[] { new XElement("NextKeyMarker", page[^1].Key), new XElement("NextUploadIdMarker", page[^1].Id) } : null,
            from upload in page select new XElement("Upload", new XElement("Key", upload.Key), new XElement("UploadId", upload.Id))));
    }

    private static Task SendAsync(S3Exchange exchange, string tag) =>
        exchange.SendXmlAsync(new XElement("CompleteMultipartUploadResult", new XElement("Key", exchange.Key), new XElement("ETag", tag)));

    private S3Part Add(S3Exchange exchange, ReadOnlyMemory<byte> bytes)
    {
        var number = int.Parse(exchange.Argument("partNumber")!, System.Globalization.CultureInfo.InvariantCulture);

        if (number is < 1 or > 10_000)
        {
            throw new S3Refusal(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
        }

        // Checksums of several parts are computed at the same time.
        var part = new S3Part(bytes);

        lock (bucket)
        {
            return UploadOf(exchange).Parts[number] = part;
        }
    }

    /// <summary>As arrays: gigabytes byte by byte take longer than their upload.</summary>
    private static byte[] Join(S3Part[] parts)
    {
        var joined = new byte[parts.Sum(part => part.Bytes.Length)];
        var end = 0;

        foreach (var part in parts)
        {
            part.Bytes.CopyTo(joined.AsMemory(end));
            end += part.Bytes.Length;
        }

        return joined;
    }

    private S3Upload UploadOf(S3Exchange exchange) =>
        bucket.Uploads.Find(upload => upload.Id == exchange.Argument("uploadId") && upload.Key == exchange.Key) ?? throw S3Refusal.NoUpload;

    private static S3Part PartOf(S3Upload upload, XElement element)
    {
        string? Value(string name) => element.Elements().FirstOrDefault(child => child.Name.LocalName == name)?.Value;

        return upload.Parts.TryGetValue(int.Parse(Value("PartNumber")!, System.Globalization.CultureInfo.InvariantCulture), out var part)
            && Value("ETag") == part.Tag && (upload.Checksum is null || Value("ChecksumCRC32") == part.Checksum)
            ? part
            : throw new S3Refusal(400, "InvalidPart", "One or more of the specified parts could not be found.");
    }
}
