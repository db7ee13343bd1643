using System.Text.RegularExpressions;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Fairseq2;

/// <summary>
/// Tells by the names of its files whether a step was saved to the end. Where a store can't rename, as S3 can't, fairseq2 0.8 gives a step its
/// final name from the beginning. Every rank then saves, one after the other, <c>trainer/rank_00.pt</c>, its files of the model and of the
/// optimizer (unless another rank has the same), and <c>data_reader/dp_00.pt</c> (of the tensor-parallel ranks the first). A folder that is not
/// there proves nothing: a step can be saved without it, and people remove such folders for their size.
/// </summary>
internal static partial class StepFiles
{
    private const string Optimizer = "optimizer", Trainer = "trainer", DataReader = "data_reader";

    /// <summary>The sign that files of some ranks are missing; null if there is none.</summary>
    /// <param name="step">The folder of a step. Those of layouts that have only been written to file systems that can rename are taken as they are.</param>
    public static string? FindGap(ICheckpointFolder step)
    {
        var model = new NativeShardLayout().FindIn(step.Folder(NativeShardLayout.FolderName));
        return model is null ? null : FindInGrids(step, model) ?? FindInCounts(step, model.Shards[^1].Place);
    }

    /// <summary>The model and the optimizer have the same ranks.</summary>
    private static string? FindInGrids(ICheckpointFolder step, CheckpointFiles model)
    {
        var optimizer = IfAllowed(() => new NativeShardLayout().FindIn(step.Folder(Optimizer)));

        var missing = model.Missing.FirstOrDefault() ?? optimizer?.Missing.FirstOrDefault()
            ?? (optimizer is null ? null : FindDifference(model, optimizer));

        return missing is null ? null : Missing(step.PathWithin(missing));
    }

    /// <summary>Without gaps, two grids differ in their last places.</summary>
    private static string? FindDifference(CheckpointFiles model, CheckpointFiles optimizer)
    {
        var (saved, following) = (model.Shards.Select(shard => shard.Place).ToHashSet(), optimizer.Shards.Select(shard => shard.Place).ToHashSet());

        return following.Except(saved).Select(place => model.PathOf(place))
            .Concat(saved.Except(following).Select(place => optimizer.PathOf(place)))
            .FirstOrDefault();
    }

    private static string? FindInCounts(ICheckpointFolder step, ShardCoordinates last)
    {
        var (trainers, trainerGap) = Count(step, Trainer, "rank", TrainerRank());
        var (readers, readerGap) = Count(step, DataReader, "dp", DataReaderRank());
        var modelParallelRanks = (last.Pipeline + 1) * (last.TensorParallel + 1);
        var dataParallelRanks = last.DataParallel + 1;
        var modelRanks = modelParallelRanks * dataParallelRanks;

        return trainerGap ?? readerGap
            ?? (trainers % modelRanks != 0 ? $"ranks that saved '{Trainer}': {trainers}, files of the model: {modelRanks}"
                : readers == 0 ? null
                : trainers > 0 && readers * modelParallelRanks != trainers
                    ? $"ranks that saved '{Trainer}': {trainers}, '{DataReader}': {readers} of {trainers / modelParallelRanks}"
                : readers % dataParallelRanks != 0
                    ? $"ranks that saved '{DataReader}': {readers}, ranks of sharded data parallelism: {dataParallelRanks}"
                : null);
    }

    /// <summary>How many ranks have saved a file, and which one between them has not.</summary>
    private static (int Count, string? Gap) Count(ICheckpointFolder step, string folder, string prefix, Regex name)
    {
        var ranks = IfAllowed(() => NumberedEntries.Files(step.Folder(folder), name).Select(file => file.Number).ToHashSet()) ?? [];
        var missing = Enumerable.Range(0, int.MaxValue).First(rank => !ranks.Contains(rank));

        return (ranks.Count, missing == ranks.Count ? null : Missing($"{folder}/{prefix}_{missing:00}.pt"));
    }

    /// <summary>Files that are not read need not be accessible.</summary>
    private static T? IfAllowed<T>(Func<T?> list)
        where T : class
    {
        try
        {
            return list();
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Missing(string path) => $"'{path}' is missing";

    [GeneratedRegex(@"^rank_([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex TrainerRank();

    [GeneratedRegex(@"^dp_([0-9]{2}|[1-9][0-9]{2,4})\.pt\z", RegexOptions.CultureInvariant)]
    private static partial Regex DataReaderRank();
}
