using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>Something that a merged checkpoint was made from.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Role">What became of it.</param>
public sealed record ManifestInput(string Name, MergeRole Role)
{
    /// <summary>The weight that it had in an average; null in others.</summary>
    public double? Weight { get; init; }

    /// <summary>Its address in a store or on a web server, without secrets; null for a local path, which means nothing elsewhere.</summary>
    public string? Address { get; init; }

    /// <summary>Its files; none if it was merged itself.</summary>
    public ImmutableArray<ManifestFile> Files { get; init; } = [];

    /// <summary>What it was made from, if it was merged itself.</summary>
    public ImmutableArray<ManifestInput> Inputs { get; init; } = [];

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
