using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>What a manifest says of a tensor.</summary>
/// <param name="Name">Its name in Meta's reference format or, where that has no such module, in its checkpoint.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape of the whole tensor, whatever the number of files that have parts of it.</param>
/// <param name="Sha256">
/// The SHA-256 in lowercase hexadecimal digits of its elements in the canonical order: little-endian, row-major, with the rows of rotary pairs side by side as in
/// Meta's reference format. Checkpoints in all formats have the same for the same tensor.
/// </param>
public sealed record ManifestTensor(string Name, DType DType, TensorShape Shape, string Sha256)
{
    /// <summary>Its name in the files.</summary>
    public string Key { get; init; } = Name;

    /// <summary>The names of the files that hold it, or parts of it; empty if it is tied and left out.</summary>
    public ImmutableArray<string> Files { get; init; } = [];

    /// <summary>The tensor whose elements are also its own; null if the files have it.</summary>
    public string? TiedTo { get; init; }

    /// <summary>What it was made from, in an export; otherwise null.</summary>
    public ManifestTensorSource? Source { get; init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>What a tensor was made from.</summary>
/// <param name="Key">Its name in the files of the source.</param>
/// <param name="DType">The element type there.</param>
/// <param name="Sha256">As <see cref="ManifestTensor.Sha256"/>, of the elements before a cast.</param>
public sealed record ManifestTensorSource(string Key, DType DType, string Sha256)
{
    /// <summary>The names of the files that it was read from.</summary>
    public ImmutableArray<string> Files { get; init; } = [];

    /// <summary>The CRC-32 that its file has of it, in 8 hexadecimal digits; null if there is none, or several parts have one each.</summary>
    public string? Crc32 { get; init; }

    /// <summary>What became of it, in this order: <c>computed</c> from others, <c>renamed</c>, <c>merged</c> from several files, <c>permuted</c> (the rows of rotary pairs), <c>cast</c>, <c>split</c> over several files.</summary>
    public ImmutableArray<string> Changes { get; init; } = [];

    /// <summary>Its name.</summary>
    public override string ToString() => Key;
}
