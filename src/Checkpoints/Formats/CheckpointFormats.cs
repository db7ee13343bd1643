using Fairseq2Llama.Distributed;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Formats;

/// <summary>All formats: the one place that knows every one of them.</summary>
internal static class CheckpointFormats
{
    /// <summary>In the order in which a folder is asked for them.</summary>
    public static IReadOnlyList<FormatDescriptor> All { get; } =
        [ReferenceFiles.Descriptor, DistributedFiles.Descriptor, HuggingFaceFiles.Descriptor, Fairseq2Files.Descriptor, GgufFiles.Descriptor];

    /// <summary>Those that exports write; the others are only read.</summary>
    public static IReadOnlyList<FormatDescriptor> Written { get; } = [.. All.Where(format => format.MakeOptions is not null)];

    public static FormatDescriptor Of(CheckpointFormat format) => All.Single(descriptor => descriptor.Format == format);

    /// <summary>Whether exports to any format write files of that name.</summary>
    public static bool IsWritten(string name) => All.Any(descriptor => descriptor.Folder.IsWritten(ShardRecord.FileOf(name) ?? name));

    /// <summary>Adds to an error for a folder of another format which command reads it.</summary>
    /// <param name="error">The error from reading it.</param>
    /// <param name="address">The address that was read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The same error, with more to say where there is more.</returns>
    public static CheckpointException Explain(CheckpointException error, CheckpointAddress address, CancellationToken cancellationToken) =>
        error.Target == address.Text ? Explain(error, CheckpointFolders.At(address, cancellationToken)) : error;

    /// <summary>As for an address, wherever it is.</summary>
    public static CheckpointException Explain(CheckpointException error, ICheckpointFolder folder) =>
        error.Code == CheckpointErrorCode.CheckpointUnrecognized && error.Target == folder.Path && All.FirstOrDefault(format => format.IsIn(folder)) is { IsReadByFile: false } found
            ? error.With($"It holds a checkpoint in {found.Name}: use {found.ReadCommand}.")
            : error;
}
