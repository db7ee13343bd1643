using System.Globalization;
using System.Net.Http.Headers;
using System.Xml.Linq;

namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>Requests for single objects and for what there is.</summary>
internal sealed class S3Objects(S3Bucket bucket, S3Server server)
{
    public Task ReadAsync(S3Exchange exchange)
    {
        S3StoredObject found;

        if (exchange.Target.IsPlain && server.FolderPages is { } pages && new PlainFolder(bucket, exchange.Target) is { Exists: true } folder)
        {
            return folder.SendAsync(exchange, pages);
        }

        lock (bucket)
        {
            found = bucket.Objects.TryGetValue(exchange.Key, out var item) ? item : throw S3Refusal.NoKey;
        }

        if (exchange.Header("If-Match") is { } expected && expected != found.Tag)
        {
            throw S3Refusal.Precondition;
        }

        foreach (var (name, value) in found.Metadata)
        {
            exchange.SetHeader("x-amz-meta-" + name, value);
        }

        exchange.SetHeader("ETag", found.Tag);
        exchange.SetHeader("Accept-Ranges", "bytes");
        exchange.SetHeader("Last-Modified", found.Written.ToString("R", CultureInfo.InvariantCulture));

        return exchange.Header("Range") is { } range && !exchange.SendsWhole
            ? SendRangeAsync(exchange, found.Bytes, range)
            : exchange.SendAsync(200, "application/octet-stream", found.Bytes);
    }

    public Task PutAsync(S3Exchange exchange)
    {
        RequireChecksum(server, exchange);

        lock (bucket)
        {
            RequireConditions(server, bucket, exchange);
            bucket.Objects[exchange.Key] = new S3StoredObject(exchange.Body, S3StoredObject.TagOf(exchange.Body), exchange.Metadata(), server.Now);
            exchange.SetHeader("ETag", bucket.Objects[exchange.Key].Tag);
        }

        return exchange.SendAsync(200);
    }

    public Task DeleteAsync(S3Exchange exchange)
    {
        lock (bucket)
        {
            if (!server.Manners.HasFlag(S3Manners.UnconditionalDeletion))
            {
                RequireConditions(server, bucket, exchange);
            }

            bucket.Objects.Remove(exchange.Key);
        }

        return exchange.SendAsync(204);
    }

    public Task ListAsync(S3Exchange exchange)
    {
        var prefix = exchange.Argument("prefix") ?? "";
        var delimiter = exchange.Argument("delimiter") ?? "";
        (string Name, S3StoredObject? Object)[] all;

        lock (bucket)
        {
            all = [.. (from item in bucket.Objects
                       where item.Key.StartsWith(prefix, StringComparison.Ordinal)
                       let end = delimiter.Length == 0 ? -1 : item.Key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal)
                       select end < 0 ? (item.Key, item.Value) : (item.Key[..(end + 1)], null as S3StoredObject)).DistinctBy(item => item.Item1)];
        }

        var after = exchange.Argument("continuation-token") is { } token ? Uri.UnescapeDataString(token) : null;
        var rest = all.Where(item => after is null || string.CompareOrdinal(item.Name, after) > 0).ToArray();
        var page = rest.Take(server.PageLength).ToArray();
        var isTruncated = rest.Length > page.Length;

        return exchange.SendXmlAsync(new XElement(
            "ListBucketResult",
            new XElement("Name", exchange.Target.Bucket),
            new XElement("IsTruncated", isTruncated),
            isTruncated ? new XElement("NextContinuationToken", Uri.EscapeDataString(page[^1].Name)) : null,
            from item in page
            where item.Object is not null
            select new XElement(
                "Contents",
                new XElement("Key", item.Name),
                new XElement("Size", item.Object.Bytes.Length),
                new XElement("ETag", item.Object.Tag),
                new XElement("LastModified", item.Object.Written.UtcDateTime)),
            from item in page where item.Object is null select new XElement("CommonPrefixes", new XElement("Prefix", item.Name))));
    }

    /// <summary>Refuses a body that was damaged, or that has no checksum.</summary>
    public static void RequireChecksum(S3Server server, S3Exchange exchange)
    {
        var checksum = exchange.Header("x-amz-checksum-crc32") ?? throw new S3Refusal(400, "InvalidRequest", "The test server asks for a checksum.");

        if (!server.Manners.HasFlag(S3Manners.NoChecksums) && checksum != S3Part.ChecksumOf(exchange.Body))
        {
            throw new S3Refusal(400, "BadDigest", "The CRC32 you specified did not match the calculated checksum.");
        }
    }

    /// <summary>Refuses to write over what a request does not expect.</summary>
    public static void RequireConditions(S3Server server, S3Bucket bucket, S3Exchange exchange)
    {
        var found = bucket.Objects.GetValueOrDefault(exchange.Key);
        var tag = server.Manners.HasFlag(S3Manners.UnquotedVersions) ? found?.Tag.Trim('"') : found?.Tag;

        if (!server.Manners.HasFlag(S3Manners.UnconditionalReplacement) && exchange.Header("If-Match") is { } expected && tag != expected)
        {
            throw found is null ? S3Refusal.NoKey : S3Refusal.Precondition;
        }

        if (!server.Manners.HasFlag(S3Manners.UnconditionalCreation) && exchange.Header("If-None-Match") == "*" && found is not null)
        {
            throw S3Refusal.Precondition;
        }
    }

    private static Task SendRangeAsync(S3Exchange exchange, byte[] bytes, string header)
    {
        var range = RangeHeaderValue.Parse(header).Ranges.Single();
        var from = range.From ?? Math.Max(0, bytes.Length - range.To!.Value);
        var to = range.From is null ? bytes.Length - 1 : Math.Min(range.To ?? long.MaxValue, bytes.Length - 1);

        if (from >= bytes.Length)
        {
            exchange.SetHeader("Content-Range", $"bytes */{bytes.Length}");
            throw new S3Refusal(416, "InvalidRange", "The requested range is not satisfiable");
        }

        exchange.SetHeader("Content-Range", $"bytes {from}-{to}/{bytes.Length}");
        return exchange.SendAsync(206, "application/octet-stream", bytes.AsMemory((int)from, (int)(to - from + 1)));
    }
}
