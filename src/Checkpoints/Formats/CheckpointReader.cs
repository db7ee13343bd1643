using Fairseq2Llama.Distributed;
using Fairseq2Llama.Fairseq2;
using Fairseq2Llama.Formats;
using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>Reads checkpoints of which only the address is known.</summary>
public static class CheckpointReader
{
    /// <summary>
    /// Reads the index of whichever checkpoint lies at an address. A folder is Meta's where it holds consolidated.00.pth, PyTorch's where it holds .metadata,
    /// Hugging Face's where it holds config.json, and fairseq2's otherwise, unless it holds GGUF files and nothing of fairseq2.
    /// </summary>
    /// <param name="address">The address of a folder, of a file that holds all of a fairseq2 model, or of a training run.</param>
    /// <param name="options">What is known about it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none, or it can't be read, or is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LlamaCheckpoint Read(CheckpointAddress address, CheckpointReadOptions? options = null, CancellationToken cancellationToken = default) =>
        Read(CheckpointFolders.At(address, cancellationToken), options, cancellationToken);

    /// <summary>As for an address, wherever it is.</summary>
    internal static LlamaCheckpoint Read(ICheckpointFolder place, CheckpointReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new CheckpointReadOptions();
        var checkpoint = ReadAny(place, options, cancellationToken);
        checkpoint.NamedArchitecture = options.Architecture;
        return checkpoint;
    }

    /// <summary>The name and the path of what <see cref="Read(CheckpointAddress, CheckpointReadOptions?, CancellationToken)"/> looks at, be it readable or not.</summary>
    internal static (string Name, string Path) Locate(ICheckpointFolder place, long? step)
    {
        try
        {
            var location = CheckpointLocation.Locate(place, step, log: null);
            return (location.Name, location.Path);
        }
        catch (CheckpointException)
        {
            return (place.Name, place.Path);
        }
    }

    private static LlamaCheckpoint ReadAny(ICheckpointFolder place, CheckpointReadOptions options, CancellationToken cancellationToken)
    {
        var format = CheckpointFolder.Look(place, () => FindFormat(place));

        if (format is not null)
        {
            options.Log?.Invoke($"'{place.Path}' is read as a checkpoint in {format.Name}.");
        }

        // A config.json alone may also describe what is in a folder inside.
        if (format is { Format: CheckpointFormat.HuggingFace } && place.Exists && place.CanList && !format.HasWeightsIn(place) && ForeignCheckpoint.Describe(place) is { } foreign)
        {
            throw CheckpointFolder.Unrecognized(place.Path, foreign);
        }

        // Only fairseq2's have steps, and its reader says so where there are none.
        if (format is { Format: not CheckpointFormat.Fairseq2 } && options.Step is null)
        {
            return format.Read(place, options, cancellationToken);
        }

        try
        {
            return Fairseq2Checkpoint.Read(place, options.Step, options.Log, cancellationToken);
        }
        catch (CheckpointException e) when (format is null && e.Code == CheckpointErrorCode.CheckpointUnrecognized && e.Target == place.Path && place.Exists)
        {
            throw CheckpointFolder.Unrecognized(
                place.Path,
                ForeignCheckpoint.Describe(place) ?? "holds no LLaMA checkpoint: neither model.pt or another layout of fairseq2, nor Meta's consolidated.00.pth and params.json, nor"
                    + " Hugging Face's config.json and *.safetensors, nor PyTorch's .metadata and *.distcp, nor a GGUF file. " + (place.CanList
                        ? "Give the path of a folder with such files."
                        : "The server does not show what is in this folder, so only names that a file must have were looked for. Check the address."));
        }
    }

    /// <summary>A file that belongs to a checkpoint of several is that of its folder, whose reader says what to give instead.</summary>
    private static FormatDescriptor? FindFormat(ICheckpointFolder place) => !place.Exists && StoredFile.At(place) is { } file
        ? CheckpointFormats.All.FirstOrDefault(format => format.Format != CheckpointFormat.Fairseq2 && (format.IsPart ?? format.Folder.IsWritten)(file.Name) && (format.IsReadByFile || format.IsIn(file.Folder)))
        : CheckpointFormats.All.FirstOrDefault(format => place.Exists && format.IsIn(place));
}
