namespace Fairseq2Llama.Stores.Objects;

/// <summary>Opens stores of one kind. Each kind is an assembly of its own, with the SDK that it needs, and is loaded on first use.</summary>
internal interface IObjectClientFactory
{
    /// <summary>Opens a container or bucket. Nothing is asked of it yet.</summary>
    /// <param name="container">Its address without secrets: <c>https://ACCOUNT.blob.core.windows.net/CONTAINER</c>, <c>s3://BUCKET</c>.</param>
    /// <param name="access">Credentials and settings.</param>
    IObjectClient Open(Uri container, StoreAccess access);
}
