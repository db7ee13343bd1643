using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>Something that a merged checkpoint is made from: a checkpoint, or an adapter.</summary>
public sealed class MergeSource
{
    internal MergeSource(string name, string path, MergeRole role)
    {
        Name = name;
        Path = path;
        Role = role;
    }

    internal MergeSource(LlamaCheckpoint checkpoint, MergeRole role)
        : this(checkpoint.Name, checkpoint.Path, role) => Checkpoint = checkpoint;

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>What became of it.</summary>
    public MergeRole Role { get; }

    /// <summary>The weight that it has in an average; null in others.</summary>
    public double? Weight { get; internal init; }

    /// <summary>The checkpoint that it is; null for an adapter.</summary>
    internal LlamaCheckpoint? Checkpoint { get; }

    /// <summary>The files of an adapter.</summary>
    internal ImmutableArray<StoredFile> Files { get; init; } = [];

    /// <summary>The paths of the files that are read for it.</summary>
    internal IEnumerable<string> InputFiles => Checkpoint?.InputFiles ?? Files.Select(file => file.Path);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>What becomes of something that a checkpoint is made from.</summary>
public enum MergeRole
{
    /// <summary>A checkpoint that weights are taken from, some of which are replaced or changed.</summary>
    Base,

    /// <summary>A checkpoint that is averaged with others.</summary>
    Averaged,

    /// <summary>Low-rank matrices that are added to weights.</summary>
    Adapter,
}
