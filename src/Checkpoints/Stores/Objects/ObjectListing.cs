namespace Fairseq2Llama.Stores.Objects;

/// <summary>The objects and prefixes directly below a prefix.</summary>
/// <param name="Objects">Objects.</param>
/// <param name="Prefixes">The common beginnings of further keys, each with its final slash.</param>
internal sealed record ObjectListing(IReadOnlyList<StoredObject> Objects, IReadOnlyList<string> Prefixes);
