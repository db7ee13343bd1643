using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>
/// A file in a store, as an object of Get-AzStorageBlob or Get-S3Object describes it. Its properties are read by their names, because its type is that of
/// another module, in any version and in another load context.
/// </summary>
internal sealed class ListedFile
{
    private static readonly string[] BlobClients = ["BlobBaseClient", "BlobClient", "ICloudBlob"];

    private readonly string _address;

    private ListedFile(string address, bool isCurrent)
    {
        _address = address;
        IsCurrent = isCurrent;
    }

    /// <summary>Whether it is what its address names now, and not a snapshot, an earlier version or a deleted file.</summary>
    public bool IsCurrent { get; }

    /// <summary>Describes what an object lists.</summary>
    /// <returns>Null for any other object.</returns>
    public static ListedFile? Of(object item) => OfBlob(item) ?? OfS3(item);

    /// <summary>Its address.</summary>
    /// <param name="access">How the store is accessed, if its address does not say it.</param>
    public CheckpointAddress At(StoreAccess access) => new(_address, access);

    /// <summary>Its address without secrets.</summary>
    public override string ToString() => new CheckpointAddress(_address).Text;

    private static ListedFile? OfBlob(object item)
    {
        // Reading any other property could send a request: that of Az.Storage for the properties of the blob does.
        var client = BlobClients.Select(name => Get(item, name)).FirstOrDefault(client => client is not null) ?? (Get(item, "BlobContainerName") is null ? null : item);

        if (client is null || !Uri.TryCreate($"{Get(client, "Uri")}", UriKind.Absolute, out var uri) || !CheckpointAddress.IsOfStore(uri.AbsoluteUri))
        {
            return null;
        }

        var query = uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries);
        var signature = string.Join('&', query.Where(part => !IsVersion(part)));
        var isVersion = query.Any(IsVersion) || Has(item, "SnapshotTime") || Has(item, "VersionId");

        // Some versions of the SDK escape the slashes of names.
        var path = uri.GetLeftPart(UriPartial.Path).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return new ListedFile(signature.Length > 0 ? $"{path}?{signature}" : path, !Has(item, "IsDeleted") && (!isVersion || Has(item, "IsLatestVersion")));
    }

    private static ListedFile? OfS3(object item) => $"{Get(item, "BucketName")}" is { Length: > 0 } bucket && $"{Get(item, "Key")}" is { Length: > 0 } key
        ? new ListedFile($"s3://{bucket}/{key}", !Has(item, "IsDeleteMarker") && (!Has(item, "VersionId") || Has(item, "IsLatest")))
        : null;

    private static bool IsVersion(string part) =>
        part.StartsWith("snapshot=", StringComparison.OrdinalIgnoreCase) || part.StartsWith("versionid=", StringComparison.OrdinalIgnoreCase);

    private static bool Has(object item, string name) => LanguagePrimitives.IsTrue(Get(item, name));

    private static object? Get(object item, string name)
    {
        try
        {
            return PSObject.AsPSObject(item).Properties[name]?.Value;
        }
        catch (GetValueException)
        {
            return null;
        }
    }
}
