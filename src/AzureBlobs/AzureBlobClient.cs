using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>A container of Azure Blob Storage.</summary>
/// <param name="container">Its address.</param>
/// <param name="choose">Chooses how it is asked; called once, for the first request.</param>
internal sealed class AzureBlobClient(ContainerAddress container, Func<Task<BlobAccess>> choose) : IObjectClient
{
    private readonly Lazy<Task<BlobAccess>> _access = new(() => Task.Run(choose));

    /// <inheritdoc/>
    public PartLimits Parts { get; } = new(MinLength: 1, Length: 8 << 20, MaxCopyLength: 100 << 20, MaxCount: 50_000);

    /// <summary>How many objects and prefixes a page of a listing has at most; null for as many as the store likes.</summary>
    internal int? PageSize { get; set; }

    /// <inheritdoc/>
    public string AddressOf(string key) => container.AddressOf(key);

    /// <inheritdoc/>
    public Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken) => AskAsync(
        async access =>
        {
            var options = new GetBlobsByHierarchyOptions { Delimiter = "/", Prefix = prefix, ResponseFormat = StorageResponseFormat.Xml };
            var pages = access.Pipeline.ContainerAt(container.Uri).GetBlobsByHierarchyAsync(options, cancellationToken).AsPages(continuation, PageSize);
            await using var page = pages.GetAsyncEnumerator(cancellationToken);
            return await page.MoveNextAsync() ? BlobTerms.ToPage(page.Current) : new ObjectPage([], [], null);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => AskAsync(
        async access =>
        {
            try
            {
                return BlobTerms.ToObject(key, await BlobAt(key, access).GetPropertiesAsync(cancellationToken: cancellationToken));
            }
            catch (RequestFailedException e) when (e.Status == 404 && Failures.Of(e, access, container).Failure == StoreFailure.Changed)
            {
                return null;
            }
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken) => AskAsync(
        access => RangeRequest.SendAsync(access.Pipeline, container.UriOf(source.Key), range, source.Version, cancellationToken),
        cancellationToken);

    /// <inheritdoc/>
    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) => AskAsync(
        async access =>
        {
            var options = new BlobUploadOptions
            {
                Conditions = BlobTerms.Replacing(replaces),
                Metadata = BlobTerms.MetadataOf(run),
                TransferValidation = BlobTerms.Checksum,
                TransferOptions = new StorageTransferOptions { InitialTransferSize = Math.Max(1, content.Length) },
            };
            var reply = await BlobAt(key, access).UploadAsync(BlobTerms.StreamOf(content), options, cancellationToken);
            return BlobTerms.VersionOf(reply.Value.ETag);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(string key, string version, CancellationToken cancellationToken) => AskAsync(
        access => BlobAt(key, access).DeleteAsync(DeleteSnapshotsOption.None, BlobTerms.Replacing(version), cancellationToken),
        cancellationToken);

    /// <summary>Nothing has to be begun. Blocks of one upload have its export's id in their names.</summary>
    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken) => Task.FromResult(run);

    /// <inheritdoc/>
    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => AskAsync(
        async access =>
        {
            var block = BlobTerms.BlockOf(upload, number);
            var options = new BlockBlobStageBlockOptions { TransferValidation = BlobTerms.Checksum };
            await BlobAt(key, access).StageBlockAsync(block, BlobTerms.StreamOf(bytes), options, cancellationToken);
            return block;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        var block = BlobTerms.BlockOf(upload, number);
        var origin = await ((AzureBlobClient)from).AsOriginAsync(source, cancellationToken);

        return await AskAsync(
            async access => await origin.TryCopyAsync(range, BlobAt(key, access), block, cancellationToken) ? block : null,
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken) => AskAsync(
        async access =>
        {
            var options = new CommitBlockListOptions { Conditions = BlobTerms.Replacing(replaces), Metadata = BlobTerms.MetadataOf(run) };
            var reply = await BlobAt(key, access).CommitBlockListAsync(parts.Select(part => part.Token), options, cancellationToken);
            return BlobTerms.VersionOf(reply.Value.ETag);
        },
        cancellationToken);

    /// <summary>Blocks can't be removed one by one. Those of no object vanish when another one is written there, or after a week.</summary>
    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>None, since nothing could be done with them; see <see cref="DiscardAsync"/>.</summary>
    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <inheritdoc/>
    public bool CanCopyFrom(IObjectClient other) => other is AzureBlobClient client && client.Account == Account;

    private Uri Account => container.Account;

    private Task<CopyOrigin> AsOriginAsync(StoredObject source, CancellationToken cancellationToken) => AskAsync(
        access => CopyOrigin.OfAsync(container.UriOf(source.Key), source.Version, access, cancellationToken),
        cancellationToken);

    private BlockBlobClient BlobAt(string key, BlobAccess access) => access.Pipeline.BlobAt(container.UriOf(key));

    private async Task<T> AskAsync<T>(Func<BlobAccess, Task<T>> ask, CancellationToken cancellationToken)
    {
        var access = await _access.Value.WaitAsync(cancellationToken);

        try
        {
            return await ask(access);
        }
        catch (Exception e) when (Failures.AreSaidBy(e) && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw Failures.Of(e, access, container);
        }
    }
}
