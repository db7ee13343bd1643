using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;
using Fairseq2Llama.TorchFiles;

namespace Fairseq2Llama.Sharding;

/// <summary>
/// Fits the files of a checkpoint together to one model, in the reverse of the order in which fairseq2 divides it: sharded data
/// parallelism, then tensor parallelism, then pipeline stages. Nothing is copied; each tensor knows its whole shape and where its parts lie.
/// </summary>
internal static class ShardedModel
{
    /// <param name="shards">By pipeline stage, then tensor-parallel rank, then data-parallel rank.</param>
    /// <param name="convention">How their tensors are named.</param>
    /// <param name="checkpoint">Its name in messages.</param>
    /// <exception cref="CheckpointException">They are not the shards of one model; everything that does not fit is listed.</exception>
    public static ImmutableArray<CheckpointTensor> Join(
        IReadOnlyList<(ShardFile File, IReadOnlyList<StateDictEntry> Entries)> shards, NamingConvention convention, string checkpoint)
    {
        var findings = new List<CheckpointFinding>();
        var names = new ParameterNames(convention);

        PartialModel[][] stages =
        [
            .. from stage in shards.GroupBy(shard => shard.File.Place.Pipeline)
               let ranks =
                   from rank in stage.GroupBy(shard => shard.File.Place.TensorParallel)
                   select DataParallelShards.Join([.. rank.Select(shard => PartialModel.Of(shard.Entries, shard.File, names))], findings)
               select ranks.ToArray(),
        ];

        var modelDim = TensorParallelShards.FindModelDim(stages.SelectMany(ranks => ranks));
        var tensors = Concatenate(stages.Select(ranks => TensorParallelShards.Join(ranks, modelDim, findings)), findings);

        CheckpointException.ThrowIfAny(
            findings, $"The files of '{checkpoint}' are not shards of one checkpoint", "Check that none is left over from another run.");

        return tensors;
    }

    /// <summary>Each pipeline stage has layers of its own.</summary>
    private static ImmutableArray<CheckpointTensor> Concatenate(
        IEnumerable<IEnumerable<CheckpointTensor>> stages, List<CheckpointFinding> findings)
    {
        var byName = new Dictionary<string, CheckpointTensor>(StringComparer.Ordinal);
        var tensors = ImmutableArray.CreateBuilder<CheckpointTensor>();

        foreach (var tensor in stages.SelectMany(stage => stage))
        {
            if (byName.TryAdd(tensor.Name, tensor))
            {
                tensors.Add(tensor);
                continue;
            }

            var (file, other) = (tensor.Shards[0].File, byName[tensor.Name].Shards[0].File);
            findings.Add(ShardFindings.Mismatch($"the pipeline stages of '{other}' and '{file}' both have '{tensor.Name}'", tensor.Name, file));
        }

        return tensors.ToImmutable();
    }
}
