using System.Collections.Immutable;
using System.Globalization;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>The location of a checkpoint: leads from the path that the user gives to the files.</summary>
/// <param name="Place">The folder or file that holds the model.</param>
/// <param name="Model">The name of its training run, of its folder, or of its file without the extension where that says more than "model".</param>
/// <param name="Step">The training step, if the path shows it.</param>
/// <param name="Files">Its files.</param>
internal sealed record CheckpointLocation(ICheckpointFolder Place, string Model, long? Step, CheckpointFiles Files)
{
    private const int MaxShown = 4;

    /// <summary>The name of the model, with the step if it is one of a training run: <c>sft@500</c>.</summary>
    public string Name => Step is { } step ? string.Create(CultureInfo.InvariantCulture, $"{Model}@{step}") : Model;

    /// <summary>The path of what holds the model.</summary>
    public string Path => Place.Path;

    /// <summary>The folder that its paths are seen from: the place, or where it is a file the folder around it.</summary>
    public ICheckpointFolder Folder => FileAt(Place)?.Folder ?? Place;

    /// <summary>Why it is not one that may have been meant.</summary>
    public ImmutableArray<string> Warnings { get; private init; } = [];

    /// <param name="place">A file, a folder with a model, a training run, or its folder of steps.</param>
    /// <param name="step">Which step of a run; null for the newest finished one.</param>
    /// <param name="log">Told what is skipped.</param>
    /// <exception cref="CheckpointException">There is no such checkpoint, more than one, or a part of it is missing.</exception>
    public static CheckpointLocation Find(ICheckpointFolder place, long? step, Action<string>? log)
    {
        var location = Locate(place, step, log);
        location.RequireComplete();
        return location;
    }

    /// <summary>As <see cref="Find"/>, though parts of it may be missing.</summary>
    public static CheckpointLocation Locate(ICheckpointFolder place, long? step, Action<string>? log)
    {
        // The folder within a step that holds the weights stands for the step.
        place = place.Exists ? StepOf(place) ?? place : place;
        RequireExisting(place);

        return CheckpointFolder.Look(place, () => FindExisting(place, step, log));
    }

    /// <summary>The training run at a place.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public static TrainingRun FindRun(ICheckpointFolder place)
    {
        RequireExisting(place);
        return CheckpointFolder.Look(place, () => RunAt(place)) ?? throw NoRun(place);
    }

    private static CheckpointLocation FindExisting(ICheckpointFolder place, long? step, Action<string>? log)
    {
        if (RunAt(place) is { } run)
        {
            var warnings = new List<string>();
            return At(run.FindStep(step, log, warnings.Add)) with { Warnings = [.. warnings] };
        }

        return step is null ? At(place) : throw NoRun(place);
    }

    /// <summary>The model at a place that is not a run.</summary>
    private static CheckpointLocation At(ICheckpointFolder place) => StepAround(place) is { } step
        ? new CheckpointLocation(place, TrainingRun.NameOf(step), TrainingRun.NumberOf(step.Name), CheckpointLayouts.Find(place))
        : new CheckpointLocation(place, NameOf(place), null, CheckpointLayouts.Find(place));

    private static TrainingRun? RunAt(ICheckpointFolder place) => place.Exists && !CheckpointLayouts.HasModel(place) ? TrainingRun.Find(place) : null;

    private static CheckpointException NoRun(ICheckpointFolder place) => new(
        CheckpointErrorCode.CheckpointUnrecognized, $"'{place.Path}' is not a training run of fairseq2, so it has no steps. Omit -Step and -AllSteps.", place.Path);

    private static void RequireExisting(ICheckpointFolder place)
    {
        if (!place.Exists && FileAt(place) is null)
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file or folder '{place.Path}'. Check the spelling of the path.", place.Path);
        }
    }

    /// <summary>The folders that may hold what describes the model: its own, as a step that was exported by itself has it, then that of the steps of the run.</summary>
    public IEnumerable<ICheckpointFolder> DescribingFolders
    {
        get
        {
            var folder = FileAt(Place) is { } file ? NativeShardLayout.RootOf(file) ?? file.Folder : Place;
            return StepOf(OutOfRanks(folder))?.Parent is { } run ? [folder, run] : [folder];
        }
    }

    /// <summary>model.yaml beside the steps of the run, or beside the model where it is in no run; null when there is none.</summary>
    public StoredFile? FindConfigFile() => DescribingFolders.Select(folder => new StoredFile(folder, ModelConfig.FileName)).FirstOrDefault(file => file.Exists);

    /// <summary>The folder of the step that a folder is, or is the weights of.</summary>
    private static ICheckpointFolder? StepOf(ICheckpointFolder folder)
    {
        if (IsStep(folder))
        {
            return folder;
        }

        return folder.Name.StartsWith(NativeShardLayout.FolderName, StringComparison.Ordinal) && folder.Parent is { } parent && IsStep(parent) ? parent : null;
    }

    /// <summary>The folder of the step to which the weights at a place belong. The place is that folder, a folder in it or a file.</summary>
    private static ICheckpointFolder? StepAround(ICheckpointFolder place)
    {
        if (FileAt(place) is not { } file)
        {
            return StepOf(OutOfRanks(place));
        }

        // Beside the model there are other files, and people put some there.
        return IsStep(file.Folder) && file.Name != SingleFileLayout.FileName && !ShardLevel.IsRankFile(file.Name) ? null : StepOf(OutOfRanks(file.Folder));
    }

    private static ICheckpointFolder OutOfRanks(ICheckpointFolder folder) =>
        ShardLevel.IsRank(folder.Name) && folder.Parent is { } parent ? OutOfRanks(parent) : folder;

    private static bool IsStep(ICheckpointFolder folder) => TrainingRun.NumberOf(folder.Name) is not null;

    private void RequireComplete() => CheckpointException.ThrowIfAny(
        Files.Missing.Select(file => new CheckpointFinding(
            FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{Place.PathWithin(file)}' is missing", File: file)),
        $"'{Path}' holds {string.Join(", ", Files.Shards.Take(MaxShown).Select(shard => Place.PathWithin(shard.Path)))}"
            + $"{(Files.Shards.Length > MaxShown ? ", …" : "")}, but not all files that belong to them",
        "Copy the missing files from where the model was trained.");

    /// <summary>A name that says no more than "model" is worth less than that of the folder around it.</summary>
    private static string NameOf(ICheckpointFolder place)
    {
        var name = place.Exists ? place.Name : System.IO.Path.GetFileNameWithoutExtension(place.Name);
        var folder = place.Parent?.Name;

        return name is NativeShardLayout.FolderName or SingleFileLayout.FileName && !string.IsNullOrEmpty(folder) ? folder : name;
    }

    private static StoredFile? FileAt(ICheckpointFolder place) => place.Exists ? null : StoredFile.At(place);
}
