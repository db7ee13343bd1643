using Fairseq2Llama.Planning;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Reference;

/// <summary>Looks at the shards that other jobs have written into the same folder, so that no mixture of two exports comes about unnoticed.</summary>
internal static class SiblingShards
{
    /// <summary>Those that can't be of the same export: their tensors have other names, types or shapes.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="siblings">The files that this export would write in place of the existing ones, if it had no other jobs.</param>
    public static IEnumerable<string> FindForeign(ICheckpointFolder folder, IEnumerable<PlannedTensorFile> siblings) =>
        from sibling in siblings
        where !Fits(sibling, folder)
        select sibling.Name;

    private static bool Fits(PlannedTensorFile plan, ICheckpointFolder folder)
    {
        try
        {
            var found = plan.Container.Read(folder.SourceOf(plan.Name));

            return found.Count == plan.Tensors.Count && plan.Tensors.Zip(found).All(pair =>
                pair.Second.Key == pair.First.Name
                && pair.Second.Value.DType == pair.First.DType
                && pair.Second.Value.Shape.Equals(pair.First.Shape));
        }
        catch (CheckpointException)
        {
            return false;
        }
    }
}
