using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>The entry point that Fairseq2Llama.Checkpoints looks for by name.</summary>
internal sealed class S3Factory : IObjectClientFactory
{
    /// <inheritdoc/>
    public IObjectClient Open(Uri container, StoreAccess access) => throw new NotImplementedException();
}
