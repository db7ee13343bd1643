using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.AzureBlobs;

/// <summary>An object that the store copies ranges of, with what the store needs to read it: to the store it is anybody's.</summary>
internal sealed class CopyOrigin
{
    private readonly Uri _address;
    private readonly HttpAuthorization? _authorization;
    private readonly RequestConditions _conditions;
    private readonly bool _isAnonymous;

    private CopyOrigin(Uri address, HttpAuthorization? authorization, string version, bool isAnonymous)
    {
        _address = address;
        _authorization = authorization;
        _conditions = new RequestConditions { IfMatch = new ETag(version) };
        _isAnonymous = isAnonymous;
    }

    /// <param name="address">Its address.</param>
    /// <param name="version">The version that it must have.</param>
    /// <param name="access">How it is read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<CopyOrigin> OfAsync(Uri address, string version, BlobAccess access, CancellationToken cancellationToken) =>
        new(access.Sign(address), await access.AuthorizeAsync(cancellationToken), version, access.Kind == AccessKind.Anonymous);

    /// <returns>False if the store can't do that.</returns>
    public async Task<bool> TryCopyAsync(ByteRange range, BlockBlobClient target, string block, CancellationToken cancellationToken)
    {
        var options = new StageBlockFromUriOptions
        {
            SourceRange = new HttpRange(range.Offset, range.Length),
            SourceConditions = _conditions,
            SourceAuthentication = _authorization,
        };

        try
        {
            await target.StageBlockFromUriAsync(_address, block, options, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (IsImpossible(e))
        {
            return false;
        }
    }

    /// <summary>What the store says if it doesn't know the request (501), may not read or write (401, 403), or can't copy just this (400, 409).</summary>
    private bool IsImpossible(RequestFailedException e) => (e.Status, e.ErrorCode) switch
    {
        (400 or 401 or 403 or 409 or 501, _) => true,

        // Of an object that it may not read, it says that it isn't there.
        (404, "CannotVerifyCopySource") => _isAnonymous,
        _ => false,
    };
}
