using System.Management.Automation;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace OtherModule;

[Cmdlet(VerbsCommon.Get, "AzStorageBlob")]
[OutputType(typeof(AzureStorageBlob))]
public sealed class GetAzStorageBlobCommand : PSCmdlet
{
    /// <summary>The address of a container with its SAS, in place of -Container and -Context.</summary>
    [Parameter(Mandatory = true)]
    public Uri Container { get; set; } = null!;

    [Parameter]
    public string? Prefix { get; set; }

    protected override void EndProcessing()
    {
        var container = new BlobContainerClient(Container);

        foreach (var item in container.GetBlobs(BlobTraits.None, BlobStates.None, Prefix))
        {
            WriteObject(new AzureStorageBlob(container.GetBlobBaseClient(item.Name), item));
        }
    }
}
