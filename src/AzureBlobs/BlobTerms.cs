using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>What Azure and the SDK call what stores have in common.</summary>
internal static class BlobTerms
{
    /// <summary>A name of metadata that all stores take.</summary>
    private const string RunKey = "fairseq2llamarun";

    /// <summary>Where an account has real folders, a request for one finds something with this.</summary>
    private const string FolderKey = "hdi_isfolder";

    /// <summary>The checksum that every version of the service compares.</summary>
    public static UploadTransferValidationOptions Checksum { get; } = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };

    /// <summary>A listing leaves out the quotation marks that all else has.</summary>
    public static string VersionOf(ETag tag) => tag.ToString("H");

    /// <param name="version">Null if no object may be there.</param>
    public static BlobRequestConditions Replacing(string? version) =>
        version is null ? new BlobRequestConditions { IfNoneMatch = ETag.All } : new BlobRequestConditions { IfMatch = new ETag(version) };

    /// <param name="run">The id of an export.</param>
    public static Dictionary<string, string> MetadataOf(string run) => new(StringComparer.Ordinal) { [RunKey] = run };

    /// <summary>
    /// The name of a block. All that upload to one object share its unfinished blocks, so that the name has the id of the upload, and all these names must
    /// be of one length.
    /// </summary>
    public static string BlockOf(string upload, int number) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{upload}-{number:D5}")));

    /// <summary>Bytes, for the SDK.</summary>
    public static MemoryStream StreamOf(ReadOnlyMemory<byte> bytes) => MemoryMarshal.TryGetArray(bytes, out var array)
        ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
        : new MemoryStream(bytes.ToArray(), writable: false);

    /// <param name="key">The key that was asked for.</param>
    /// <param name="reply">The reply.</param>
    /// <returns>Null for a folder.</returns>
    public static StoredObject? ToObject(string key, Response<BlobProperties> reply)
    {
        var found = reply.Value;

        if (found.Metadata.TryGetValue(FolderKey, out var isFolder) && isFolder.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return new StoredObject(key, found.ContentLength, VersionOf(found.ETag))
        {
            Run = found.Metadata.TryGetValue(RunKey, out var run) ? run : null,
            Age = (reply.GetRawResponse().Headers.Date ?? DateTimeOffset.UtcNow) - found.LastModified,
        };
    }

    /// <param name="page">A page of a listing.</param>
    public static ObjectPage ToPage(Page<BlobHierarchyItem> page) => new(
        [.. from item in page.Values where item.IsBlob select ToObject(item.Blob)],
        [.. from item in page.Values where item.IsPrefix select item.Prefix],
        string.IsNullOrEmpty(page.ContinuationToken) ? null : page.ContinuationToken);

    private static StoredObject ToObject(BlobItem item) =>
        new(item.Name, item.Properties.ContentLength ?? 0, VersionOf(item.Properties.ETag ?? default));
}
