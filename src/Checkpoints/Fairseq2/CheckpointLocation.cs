using System.Collections.Immutable;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Where a checkpoint is: the way from what a user names to the files.</summary>
/// <param name="Place">The folder or file that holds the model.</param>
/// <param name="Name">The name of its training run, of its folder, or of its file without the extension where that says more than "model".</param>
/// <param name="Step">The training step that it is from, where the path tells.</param>
/// <param name="Files">Its files.</param>
internal sealed record CheckpointLocation(ICheckpointFolder Place, string Name, long? Step, CheckpointFiles Files)
{
    private const int MaxShown = 4;

    /// <summary>The path of what holds the model.</summary>
    public string Path => Place.Path;

    /// <summary>The folder that its paths are seen from: the place, or where it is a file the folder around it.</summary>
    public ICheckpointFolder Folder => FileAt(Place)?.Folder ?? Place;

    /// <summary>Why it is not one that may have been meant.</summary>
    public ImmutableArray<string> Warnings { get; private init; } = [];

    /// <param name="place">A file, a folder with a model, a training run, or its folder of steps.</param>
    /// <param name="step">Which step of a run; null for the newest finished one.</param>
    /// <param name="log">Told what is passed over.</param>
    /// <exception cref="CheckpointException">There is no such checkpoint, more than one, or a part of it is missing.</exception>
    public static CheckpointLocation Find(ICheckpointFolder place, long? step, Action<string>? log)
    {
        // The folder within a step that holds the weights stands for the step.
        place = place.Exists ? StepOf(place) ?? place : place;

        if (!place.Exists && StoredFile.At(place) is null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file or folder '{place.Path}'. Check the spelling of the path.", place.Path);
        }

        return CheckpointFolder.Look(place, () =>
        {
            var location = FindExisting(place, step, log);
            location.RequireComplete();
            return location;
        });
    }

    private static CheckpointLocation FindExisting(ICheckpointFolder place, long? step, Action<string>? log)
    {
        var run = place.Exists && !CheckpointLayouts.HasModel(place) ? TrainingRun.Find(place) : null;

        if (run is not null)
        {
            var warnings = new List<string>();
            var folder = run.FindStep(step, log, warnings.Add);
            return new CheckpointLocation(folder, run.Name, TrainingRun.NumberOf(folder.Name), CheckpointLayouts.Find(folder)) { Warnings = [.. warnings] };
        }

        return step is null
            ? new CheckpointLocation(place, NameOf(place), TrainingRun.NumberOf(place.Name), CheckpointLayouts.Find(place))
            : throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized, $"'{place.Path}' is not a training run, so it has no step {step}.", place.Path);
    }

    /// <summary>model.yaml beside the steps of the run, or beside the model where it is in no run; null when there is none.</summary>
    public StoredFile? FindConfigFile()
    {
        var folder = FileAt(Place) is { } file ? NativeShardLayout.RootOf(file) ?? file.Folder : Place;

        // A step that was exported by itself has it inside.
        var run = StepOf(folder)?.Parent;
        return new[] { folder, run }.OfType<ICheckpointFolder>().Select(place => new StoredFile(place, ModelConfig.FileName)).FirstOrDefault(file => file.Exists);
    }

    /// <summary>The folder of the step that a folder is, or is the weights of.</summary>
    private static ICheckpointFolder? StepOf(ICheckpointFolder folder)
    {
        if (TrainingRun.NumberOf(folder.Name) is not null)
        {
            return folder;
        }

        return folder.Name.StartsWith(NativeShardLayout.FolderName, StringComparison.Ordinal)
            && folder.Parent is { } parent && TrainingRun.NumberOf(parent.Name) is not null ? parent : null;
    }

    private void RequireComplete() => CheckpointException.ThrowIfAny(
        Files.Missing.Select(file => new CheckpointFinding(
            FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{Place.PathWithin(file)}' is missing", File: file)),
        $"'{Path}' holds {string.Join(", ", Files.Shards.Take(MaxShown).Select(shard => Place.PathWithin(shard.Path)))}"
            + $"{(Files.Shards.Length > MaxShown ? ", …" : "")}, but not all that belongs to them",
        "Copy what is missing from where the model was trained.");

    /// <summary>A name that says no more than "model" is worth less than that of the folder around it.</summary>
    private static string NameOf(ICheckpointFolder place)
    {
        var name = place.Exists ? place.Name : System.IO.Path.GetFileNameWithoutExtension(place.Name);
        var folder = place.Parent?.Name;

        return name is NativeShardLayout.FolderName or SingleFileLayout.FileName && !string.IsNullOrEmpty(folder) ? folder : name;
    }

    private static StoredFile? FileAt(ICheckpointFolder place) => place.Exists ? null : StoredFile.At(place);
}
