using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Planning;

/// <summary>The description of a format. Each format has one, in its folder.</summary>
/// <param name="Format">Which it is.</param>
/// <param name="Name">What people call it: <c>Meta's reference format</c>.</param>
/// <param name="ReadCommand">The command that reads it.</param>
/// <param name="Folder">What the names of its files mean.</param>
internal sealed record FormatDescriptor(CheckpointFormat Format, string Name, string ReadCommand, FolderRules Folder)
{
    /// <summary>Whether a folder holds a checkpoint of it, whole or not.</summary>
    public required Func<ICheckpointFolder, bool> IsIn { get; init; }

    /// <summary>Whether a folder holds weights of it, whole or not.</summary>
    public required Func<ICheckpointFolder, bool> HasWeightsIn { get; init; }

    /// <summary>The file that describes a model, which may be all that a listing shows of a checkpoint; null where that is always weights.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Whether its files have checksums of what they hold.</summary>
    public bool HasChecksums { get; init; } = true;

    /// <summary>Whether its files can hold quantized tensors.</summary>
    public bool HoldsQuantized { get; init; }

    /// <summary>Whether a checkpoint is read by the path of a file, so that a folder can hold it beside any other.</summary>
    public bool IsReadByFile { get; init; }

    /// <summary>Whether a file of that name is only a part of such a checkpoint, which is read by its folder; null if that is what exports write.</summary>
    public Func<string, bool>? IsPart { get; init; }

    /// <summary>The name of the file by which a checkpoint is read, if a file of that name is a further part of it; otherwise null. Null where folders are read.</summary>
    public Func<string, string?>? FirstOf { get; init; }

    /// <summary>The file that a path probably means at which there is nothing, if there is such a file; otherwise null. Null where folders are read.</summary>
    public Func<ICheckpointFolder, StoredFile?>? FindMeant { get; init; }

    /// <summary>Reads the index of one.</summary>
    public required Func<ICheckpointFolder, CheckpointReadOptions, CancellationToken, LlamaCheckpoint> Read { get; init; }

    /// <summary>Exports to it as it is usually done; null where it is only read.</summary>
    public Func<ExportOptions>? MakeOptions { get; init; }
}
