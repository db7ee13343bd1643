using System.Collections.Immutable;
using Fairseq2Llama.Manifests;

namespace Fairseq2Llama;

/// <summary>
/// What a checkpoint is, so that a copy of it, in whatever format, can be compared with it: the hashes of its files and of its tensors and, if an export made it, what it was made from and how.
/// It is kept in a file beside the checkpoint, as a statement of in-toto.
/// </summary>
/// <param name="Name">The name of the checkpoint.</param>
/// <param name="Format">Its format.</param>
/// <param name="Files">Its files, and other files in its folder.</param>
/// <param name="Tensors">Its tensors, under Meta's names and in their order. A tied output projection is among them, whether or not the files have it.</param>
public sealed record CheckpointManifest(string Name, CheckpointFormat Format, ImmutableArray<ManifestFile> Files, ImmutableArray<ManifestTensor> Tensors)
{
    /// <summary>The path or address of the file that it is in; null if it is in none.</summary>
    public string? Path { get; init; }

    /// <summary>
    /// One hash for all tensors: the same for all checkpoints of a model with the same element types, whatever their formats and files.
    /// </summary>
    public string ModelSha256 { get; } = ModelHash.Of(Tensors.Select(tensor => (tensor.Name, tensor.DType, tensor.Shape, tensor.Sha256)));

    /// <summary>What it was made from; null if that is not recorded.</summary>
    public ManifestSource? Source { get; init; }

    /// <summary>The options of the export, under the names of the parameters; empty if no export made it.</summary>
    public ImmutableSortedDictionary<string, string> Options { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The version of this module that wrote it.</summary>
    public string ToolVersion { get; init; } = ModuleVersion.Text;

    /// <summary>The number of elements of all tensors; those of a tied output projection count once.</summary>
    public long ElementCount => Tensors.Where(tensor => tensor.TiedTo is null).Sum(tensor => tensor.Shape.ElementCount);

    /// <summary>Prints as its path or, where it is in no file, as its name.</summary>
    public override string ToString() => Path ?? Name;
}
