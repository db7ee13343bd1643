using System.Collections.Immutable;

namespace Fairseq2Llama.Fairseq2;

/// <summary>Where a checkpoint is: the way from what a user names to the files.</summary>
/// <param name="Path">The folder or file that holds the model.</param>
/// <param name="Name">The name of its training run, of its folder, or of its file without the extension where that says more than "model".</param>
/// <param name="Step">The training step that it is from, where the path tells.</param>
/// <param name="Files">Its files.</param>
internal sealed record CheckpointLocation(string Path, string Name, long? Step, CheckpointFiles Files)
{
    private const int MaxShown = 4;

    /// <summary>Why it is not one that may have been meant.</summary>
    public ImmutableArray<string> Warnings { get; private init; } = [];

    /// <param name="path">The absolute path of a file, a folder with a model, a training run, or its folder of steps.</param>
    /// <param name="step">Which step of a run; null for the newest finished one.</param>
    /// <param name="log">Told what is passed over.</param>
    /// <exception cref="CheckpointException">There is no such checkpoint, more than one, or a part of it is missing.</exception>
    public static CheckpointLocation Find(string path, long? step, Action<string>? log)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(path);

        // The folder within a step that holds the weights stands for the step.
        path = Directory.Exists(path) ? StepOf(path) ?? path : path;

        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new CheckpointException(
                CheckpointErrorCode.CheckpointNotFound, $"There is no file or folder '{path}'. Check the spelling of the path.", path);
        }

        try
        {
            var location = FindExisting(path, step, log);
            location.RequireComplete();
            return location;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(CheckpointErrorCode.ReadFailed, $"'{path}' can't be read: {e.Message}", path, e);
        }
    }

    private static CheckpointLocation FindExisting(string path, long? step, Action<string>? log)
    {
        var run = Directory.Exists(path) && !CheckpointLayouts.HasModel(path) ? TrainingRun.Find(path) : null;

        if (run is not null)
        {
            var warnings = new List<string>();
            var folder = run.FindStep(step, log, warnings.Add);
            return new CheckpointLocation(folder, run.Name, TrainingRun.NumberOf(folder), CheckpointLayouts.Find(folder)) { Warnings = [.. warnings] };
        }

        return step is null
            ? new CheckpointLocation(path, NameOf(path), TrainingRun.NumberOf(path), CheckpointLayouts.Find(path))
            : throw new CheckpointException(
                CheckpointErrorCode.CheckpointUnrecognized, $"'{path}' is not a training run, so it has no step {step}.", path);
    }

    /// <summary>model.yaml beside the steps of the run, or beside the model where it is in no run; null when there is none.</summary>
    public string? FindConfigFile()
    {
        var folder = Directory.Exists(Path) ? Path : NativeShardLayout.RootOf(Path) ?? System.IO.Path.GetDirectoryName(Path);

        if (folder is null)
        {
            return null;
        }

        // A step that was exported by itself has it inside.
        var run = StepOf(folder) is { } step ? System.IO.Path.GetDirectoryName(step) : null;
        return new[] { folder, run }.OfType<string>().Select(place => System.IO.Path.Combine(place, ModelConfig.FileName)).FirstOrDefault(File.Exists);
    }

    /// <summary>The folder of the step that a folder is, or is the weights of.</summary>
    private static string? StepOf(string folder)
    {
        if (TrainingRun.NumberOf(folder) is not null)
        {
            return folder;
        }

        return System.IO.Path.GetFileName(folder).StartsWith(NativeShardLayout.FolderName, StringComparison.Ordinal)
            && System.IO.Path.GetDirectoryName(folder) is { } parent && TrainingRun.NumberOf(parent) is not null ? parent : null;
    }

    private void RequireComplete() => CheckpointException.ThrowIfAny(
        Files.Missing.Select(file => new CheckpointFinding(
            FindingSeverity.Error, CheckpointErrorCode.MissingShard, $"'{System.IO.Path.GetRelativePath(Path, file)}' is missing", File: file)),
        $"'{Path}' holds {string.Join(", ", Files.Shards.Take(MaxShown).Select(shard => System.IO.Path.GetRelativePath(Path, shard.Path)))}"
            + $"{(Files.Shards.Length > MaxShown ? ", …" : "")}, but not all that belongs to them",
        "Copy what is missing from where the model was trained.");

    /// <summary>A name that says no more than "model" is worth less than that of the folder around it.</summary>
    private static string NameOf(string path)
    {
        var name = Directory.Exists(path) ? System.IO.Path.GetFileName(path) : System.IO.Path.GetFileNameWithoutExtension(path);
        var folder = System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path));

        return name is NativeShardLayout.FolderName or SingleFileLayout.FileName && !string.IsNullOrEmpty(folder) ? folder : name;
    }
}
