using System.Collections.Immutable;

namespace Fairseq2Llama;

/// <summary>The checkpoint that another one was made from.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Format">Its format.</param>
/// <param name="ModelSha256">As <see cref="CheckpointManifest.ModelSha256"/>, of the tensors before a cast.</param>
public sealed record ManifestSource(string Name, CheckpointFormat Format, string ModelSha256)
{
    /// <summary>Its address in a store or on a web server, without secrets; null for a local path, which means nothing elsewhere.</summary>
    public string? Address { get; init; }

    /// <summary>Its files; none if it was merged.</summary>
    public ImmutableArray<ManifestFile> Files { get; init; } = [];

    /// <summary>What it was made from, if it was merged: the checkpoints of an average, a base and its adapter.</summary>
    public ImmutableArray<ManifestInput> Inputs { get; init; } = [];

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
