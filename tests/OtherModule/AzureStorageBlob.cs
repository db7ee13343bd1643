using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace OtherModule;

/// <summary>
/// What Get-AzStorageBlob gives, with the names and types of properties in Commands.Common.Storage/ResourceModel/AzureStorageBlob.cs of
/// Azure/azure-powershell.
/// </summary>
public sealed class AzureStorageBlob(BlobBaseClient client, BlobItem item)
{
    public string Name => client.Name;

    public BlobBaseClient BlobBaseClient => client;

    /// <summary>Az.Storage sends a request when it is asked for these.</summary>
    public BlobProperties BlobProperties => throw new InvalidOperationException($"Nobody needs the properties of '{Name}'.");

    public long Length => item.Properties.ContentLength ?? 0;

    public bool IsDeleted => item.Deleted;

    public DateTimeOffset? LastModified => item.Properties.LastModified;

    public DateTimeOffset? SnapshotTime => item.Snapshot is null ? null : DateTimeOffset.Parse(item.Snapshot, System.Globalization.CultureInfo.InvariantCulture);

    public string? VersionId => item.VersionId;

    public bool? IsLatestVersion => item.IsLatestVersion;
}
