using Fairseq2Llama.HuggingFace;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Reference;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>
/// Finds the file that describes the architecture. A distributed checkpoint has none of its own, but people put that of the model beside it, and trainers that start
/// from a model leave it in the folder of the run.
/// </summary>
internal static class DistributedConfig
{
    /// <summary>The folder of the checkpoint, that of its steps, and that of the run.</summary>
    private const int MaxFolders = 3;

    /// <summary>The last is the name in the examples of torchtitan, which lets users choose it.</summary>
    private static readonly string[] Names = [ReferenceParams.FileName, HuggingFaceConfig.FileName, "job_config.json"];

    /// <param name="given">The file that the user named, or the folder that it is in.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">There is none.</exception>
    public static StoredFile At(CheckpointAddress given, CancellationToken cancellationToken)
    {
        var place = CheckpointFolders.At(given, cancellationToken);

        return CheckpointFolder.Look(place, () => place.Exists ? In(place) : StoredFile.At(place)) ?? throw new CheckpointException(
            CheckpointErrorCode.CheckpointNotFound,
            place.Exists
                ? $"The folder '{given}' holds no {string.Join(" or ", Names)}. Give the path of the file that describes the model."
                : $"There is no file or folder '{given}'. Check the spelling of the path.",
            given.Text);
    }

    /// <summary>The nearest one around a checkpoint; null if there is none.</summary>
    public static StoredFile? Around(ICheckpointFolder folder)
    {
        var place = folder;

        for (var i = 0; i < MaxFolders && place is not null; i++, place = place.Parent)
        {
            if (LookInto(place) is { } file)
            {
                return file;
            }
        }

        return null;
    }

    /// <param name="file">The file.</param>
    /// <param name="name">The name for an architecture that is not in the catalogue.</param>
    /// <param name="tensors">The weights.</param>
    /// <returns>Null if it only names the model.</returns>
    /// <exception cref="CheckpointException">It can't be read, or describes something else.</exception>
    public static ArchitectureFile? Read(StoredFile file, string name, IReadOnlyCollection<CheckpointTensor> tensors)
    {
        // People give them other names, so the content says what they are.
        var json = ReadJson(file);

        return TorchTitanConfig.Describes(json) ? TorchTitanConfig.Read(json, name, tensors)
            : TorchTitanConfig.OnlyNames(json) ? null
            : json.Names.Contains("model_type") ? HuggingFaceConfig.Read(json, name)
            : json.Names.Contains("dim") || json.IsObject("model") ? ReferenceParamsReader.Read(json, name, tensors)
            : throw Undescribed(file);
    }

    /// <summary>The error for a file that does not describe the model.</summary>
    public static CheckpointException Undescribed(StoredFile file, Exception? cause = null) => new(
        CheckpointErrorCode.CheckpointUnrecognized,
        $"'{file.Path}' does not describe a LLaMA: it is neither a params.json, nor a config.json of transformers, nor a configuration of torchtitan with the dimensions of the model."
            + " Name the architecture with -Architecture, or give another file with -ConfigPath.",
        file.Path,
        cause);

    /// <summary>What is no JSON need not be damaged.</summary>
    private static JsonSettings ReadJson(StoredFile file)
    {
        try
        {
            return JsonSettings.Read(file.Source);
        }
        catch (CheckpointException e) when (e.Code == CheckpointErrorCode.CheckpointCorrupt)
        {
            throw Undescribed(file, e);
        }
    }

    private static StoredFile? In(ICheckpointFolder folder) => Names.Where(folder.HasFile).Select(name => new StoredFile(folder, name)).FirstOrDefault();

    private static StoredFile? LookInto(ICheckpointFolder folder)
    {
        try
        {
            return In(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder can be read where those around it can't be looked into.
            return null;
        }
    }
}
