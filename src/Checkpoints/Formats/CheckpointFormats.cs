using Fairseq2Llama.Distributed;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Gguf;
using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Manifests;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Signing;
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

    /// <summary>Whether exports to any format write files of that name, which is no path.</summary>
    public static bool IsWritten(string name) =>
        StoredFile.IsName(name)
        && (ManifestNames.IsOfManifest(name) || name == ModelSignature.FileName || All.Any(descriptor => descriptor.Folder.IsWritten(ShardRecord.FileOf(name) ?? name)));

    /// <summary>Adds to an error which command reads a folder of another format, or which file may have been meant.</summary>
    /// <param name="error">The error from reading it.</param>
    /// <param name="address">The address that was read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The same error, with more to say where there is more.</returns>
    public static CheckpointException Explain(CheckpointException error, CheckpointAddress address, CancellationToken cancellationToken) =>
        error.Code is CheckpointErrorCode.CheckpointNotFound or CheckpointErrorCode.CheckpointUnrecognized ? Explain(error, CheckpointFolders.At(address, cancellationToken)) : error;

    /// <summary>As for an address, wherever it is.</summary>
    public static CheckpointException Explain(CheckpointException error, ICheckpointFolder folder) => error.Code switch
    {
        CheckpointErrorCode.CheckpointUnrecognized when error.Target == folder.Path && All.FirstOrDefault(format => format.IsIn(folder)) is { IsReadByFile: false } found =>
            error.With($"It holds a checkpoint in {found.Name}: use {found.ReadCommand}."),
        CheckpointErrorCode.CheckpointNotFound when FindMeant(folder) is { } file => error.With($"Did you mean '{file.Path}'?"),
        _ => error,
    };

    private static StoredFile? FindMeant(ICheckpointFolder place)
    {
        try
        {
            return place.Exists || StoredFile.At(place) is not null ? null : All.Select(format => format.FindMeant?.Invoke(place)).FirstOrDefault(file => file is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointException)
        {
            // The error that this is about says more.
            return null;
        }
    }
}
