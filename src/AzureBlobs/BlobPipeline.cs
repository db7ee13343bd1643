using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>
/// The SDK's clients for addresses of ours, all with one pipeline, which has the credential and its token. What makes that possible is protected,
/// because it is meant for other libraries that are built upon these clients.
/// </summary>
/// <param name="service">Whose pipeline it is.</param>
/// <param name="options">The options that it was made with.</param>
internal sealed class BlobPipeline(BlobServiceClient service, BlobClientOptions options)
{
    /// <summary>The pipeline, for requests that no client makes as they are needed.</summary>
    public HttpPipeline Requests { get; } = ServiceDoor.Open(service);

    /// <summary>The version of the protocol, as requests name it.</summary>
    public string Version { get; } = options.Version.ToString().TrimStart('V').Replace('_', '-');

    /// <summary>The client of a container.</summary>
    public BlobContainerClient ContainerAt(Uri address) => ContainerDoor.Open(address, options, Requests);

    /// <summary>The client of an object.</summary>
    public BlockBlobClient BlobAt(Uri address) => BlobDoor.Open(address, options, Requests);

    private sealed class ServiceDoor : BlobServiceClient
    {
        public static HttpPipeline Open(BlobServiceClient service) => GetHttpPipeline(service);
    }

    private sealed class ContainerDoor : BlobContainerClient
    {
        public static BlobContainerClient Open(Uri address, BlobClientOptions options, HttpPipeline pipeline) => CreateClient(address, options, pipeline);
    }

    private sealed class BlobDoor : BlockBlobClient
    {
        public static BlockBlobClient Open(Uri address, BlobClientOptions options, HttpPipeline pipeline) => CreateClient(address, options, pipeline);
    }
}
