using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class AzureBlobFactory : IObjectClientFactory
{
    /// <inheritdoc/>
    public IObjectClient Open(Uri container, StoreAccess access) => throw new NotImplementedException();
}
