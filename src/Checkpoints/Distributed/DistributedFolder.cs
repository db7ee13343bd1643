using System.Collections.Immutable;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Distributed;

/// <summary>A folder with a distributed checkpoint, opened.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="IndexFiles">The files with the metadata.</param>
/// <param name="DataFiles">The files with the weights.</param>
/// <param name="Tensors">The model's tensors.</param>
/// <param name="ArchitectureFile">The file that describes the architecture; null if there is none.</param>
/// <param name="Warnings">What should be known about it.</param>
internal sealed record DistributedFolder(
    ICheckpointFolder Folder,
    ImmutableArray<StoredFile> IndexFiles,
    ImmutableArray<DataFile> DataFiles,
    ImmutableArray<CheckpointTensor> Tensors,
    ArchitectureFile? ArchitectureFile,
    ImmutableArray<string> Warnings)
{
    private const int MaxShown = 5;

    /// <exception cref="CheckpointException">It is none, or not whole, or damaged, or holds no LLaMA.</exception>
    public static DistributedFolder Open(ICheckpointFolder folder, CheckpointReadOptions options, TensorLocator locator, CancellationToken cancellationToken)
    {
        CheckpointFolder.Require(folder);

        var layout = DistributedLayout.Find(folder);
        var index = layout.Open(cancellationToken);
        string[] keys = [.. index.Names];
        ForeignCheckpoint.RequireParameters(folder, keys);
        var names = ModelNames.Of(keys) ?? throw NoModel(folder, keys);
        var saved = index.Find([.. names.Tensors.Select(tensor => tensor.Key)], cancellationToken);

        if (names.OthersCount > 0)
        {
            options.Log?.Invoke($"{Quantity.Of(names.OthersCount, "tensor")} of '{folder.Path}' outside the model, such as the state of the optimizer, will be left out.");
        }

        ImmutableArray<CheckpointTensor> tensors = [.. names.Tensors.Zip(saved, (name, tensor) => locator.MakeTensor(name.Name, tensor))];
        var config = FindConfig(folder, DistributedName.Of(folder).Model, options, tensors, cancellationToken);

        if (names.Convention.IsHalfSplit)
        {
            var headDim = RotaryHeads.Find(folder.Path, options.Architecture, config, tensors);

            foreach (var tensor in tensors.Where(tensor => tensor.ParsedName.IsRotary && tensor.Shape.Count > 0 && tensor.Shape[0] % headDim == 0))
            {
                tensor.HalfSplitHeadDim = headDim;
            }
        }

        return new DistributedFolder(
            folder,
            layout.Files,
            [.. index.Files.OrderBy(file => file.Stored.Name.Length).ThenBy(file => file.Stored.Name, StringComparer.Ordinal)],
            tensors,
            config,
            [
                .. from prefix in names.OtherPrefixes
                   select $"'{folder.Path}' holds a model under the prefix '{prefix}', too. The one under '{names.Prefix}' is read.",
            ]);
    }

    private static ArchitectureFile? FindConfig(
        ICheckpointFolder folder, string name, CheckpointReadOptions options, ImmutableArray<CheckpointTensor> tensors, CancellationToken cancellationToken)
    {
        if (options.ConfigPath is { } given)
        {
            var file = DistributedConfig.At(given, cancellationToken);
            return DistributedConfig.Read(file, name, tensors) ?? throw DistributedConfig.Undescribed(file);
        }

        if (DistributedConfig.Around(folder) is not { } found)
        {
            return null;
        }

        try
        {
            return DistributedConfig.Read(found, name, tensors);
        }
        catch (CheckpointException e)
        {
            // It matters only if the user names no architecture.
            return new ArchitectureFile(found.Path) { Error = e };
        }
    }

    private static CheckpointException NoModel(ICheckpointFolder folder, string[] names) => CheckpointFolder.Unrecognized(
        folder.Path,
        names.Length == 0
            ? "holds a distributed checkpoint without any tensor."
            : names.All(ModelNames.IsOfOptimizer)
                ? "holds the state of an optimizer. The model is in another folder beside it; accelerate names that pytorch_model_fsdp_0."
            : $"holds a distributed checkpoint of {Quantity.Of(names.Length, "tensor")} without any parameter of LLaMA: {string.Join(", ", names.Take(MaxShown).Select(name => $"'{name}'"))}"
                + $"{(names.Length > MaxShown ? ", …" : "")}.");
}
