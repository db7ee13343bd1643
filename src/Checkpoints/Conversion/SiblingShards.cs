using Fairseq2Llama.Sources;
using Fairseq2Llama.TorchFiles;
using Fairseq2Llama.TorchFiles.Pickle;

namespace Fairseq2Llama.Conversion;

/// <summary>Looks at the shards that other jobs have written into the same folder, so that no mixture of two exports comes about unnoticed.</summary>
internal static class SiblingShards
{
    /// <summary>Those that can't be of the same export: their tensors have other names, types or shapes.</summary>
    /// <param name="destinationPath">The folder.</param>
    /// <param name="siblings">What this export would write there, were it not for the other jobs.</param>
    public static IEnumerable<string> FindForeign(string destinationPath, IEnumerable<PlannedTorchFile> siblings) =>
        from sibling in siblings
        let path = Path.Combine(destinationPath, sibling.Name)
        where File.Exists(path) && !Fits(sibling, path)
        select path;

    private static bool Fits(PlannedTorchFile plan, string path)
    {
        try
        {
            var file = TorchFile.Open(new LocalFile(path));
            var entries = file.Content is PickleDict content ? content.Entries : [];

            return entries.Count == plan.Tensors.Count && plan.Tensors.Zip(entries).All(pair =>
                pair.Second is { Key: string name, Value: PickledTensor tensor }
                && name == pair.First.Name
                && file.GetTensor(tensor) is var found
                && found.DType == pair.First.DType
                && found.Shape.Equals(pair.First.Shape));
        }
        catch (CheckpointException)
        {
            return false;
        }
    }
}
