using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.S3;

/// <summary>The version of an object. Headers always quote it, and bodies of some stores don't.</summary>
internal static class EntityTag
{
    /// <summary>The version that an ETag says.</summary>
    /// <returns>Null if there is none.</returns>
    public static string? Parse(string? tag) =>
        string.IsNullOrEmpty(tag) ? null : tag.EndsWith('"') ? tag : $"\"{tag}\"";

    /// <summary>The version that a reply must have.</summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.Transient"/> if it has none: S3 promises one, so the reply is not whole.</exception>
    public static string Require(string? tag, string address) =>
        Parse(tag) ?? throw new StoreException(StoreFailure.Transient, $"The store's reply for '{address}' does not say which version it has.");
}
