using System.Collections.Immutable;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Merging;
using Fairseq2Llama.Model;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama;

/// <summary>Merges LoRA adapters into checkpoints.</summary>
public static class LoraMerge
{
    /// <summary>
    /// A checkpoint with a LoRA merged into it: W + scale * (B A) in the place of each adapted weight W. Only the index and the config of the adapter are read yet. What is computed has the element
    /// type of W, rounded once; float32 if W is quantized.
    /// </summary>
    /// <param name="checkpoint">The base model; or a fairseq2 checkpoint that has the LoRA itself.</param>
    /// <param name="adapter">
    /// The folder of an adapter that PEFT saved, or a checkpoint with fairseq2's lora_A and lora_B; null for those of the checkpoint itself.
    /// </param>
    /// <param name="alpha">The alpha of fairseq2's LoRAConfig, which is in no file; null for PEFT.</param>
    /// <param name="name">Its name; null for that of the checkpoint, with "-merged" behind it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="CheckpointException">libtorch can't be loaded; there is no adapter; it does more than LoRA; or it does not fit the checkpoint.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static MergedCheckpoint Of(
        LlamaCheckpoint checkpoint, CheckpointAddress? adapter = null, double? alpha = null, string? name = null, CancellationToken cancellationToken = default)
    {
        _ = TorchTensors.Get();

        var (tensors, lora) = adapter is null
            ? (WithoutLora(checkpoint), new LoraAdapter(checkpoint.Name, checkpoint.Path, []) { Matrices = NativeLora.In(checkpoint, alpha) })
            : (checkpoint.Tensors, Read(CheckpointFolders.At(adapter, cancellationToken), checkpoint, alpha, cancellationToken));

        MergeSource[] sources = adapter is null
            ? [new MergeSource(checkpoint, MergeRole.Base)]
            : [new MergeSource(checkpoint, MergeRole.Base), lora.Checkpoint is { } native ? new MergeSource(native, MergeRole.Adapter) : new MergeSource(lora.Name, lora.Path, MergeRole.Adapter) { Files = lora.Files }];

        var merged = new AdaptedModel(checkpoint, tensors, lora);
        name ??= $"{checkpoint.Name}-merged";
        return new MergedCheckpoint(checkpoint, name, name, [.. sources], merged.Tensors, merged.IsUntied) { OwnHeadDim = merged.AssumedHeadDim, MergeWarnings = lora.Warnings };
    }

    private static LoraAdapter Read(ICheckpointFolder place, LlamaCheckpoint checkpoint, double? alpha, CancellationToken cancellationToken)
    {
        var folder = CheckpointFolder.Look(place, () => PeftAdapter.IsIn(place) ? place : place.Parent is { } parent && parent.HasFile(place.Name) && PeftAdapter.IsIn(parent) ? parent : null);

        if (folder is null)
        {
            var native = CheckpointReader.Read(place, cancellationToken: cancellationToken);
            return new LoraAdapter(native.Name, native.Path, []) { Checkpoint = native, Matrices = NativeLora.In(native, alpha) };
        }

        return alpha is null
            ? PeftAdapter.Read(folder, HeadDimOf(checkpoint), cancellationToken)
            : throw new CheckpointException(CheckpointErrorCode.AdapterMismatch, $"'{folder.Path}' is an adapter of PEFT, whose {PeftConfig.FileName} has its alpha. Omit -Alpha.", folder.Path);
    }

    /// <summary>Rows of a head; null if that is not known.</summary>
    /// <exception cref="CheckpointException">The architecture does not fit the weights.</exception>
    private static int? HeadDimOf(LlamaCheckpoint checkpoint)
    {
        if (checkpoint.Architecture is not { } architecture)
        {
            return checkpoint.Tensors.FirstOrDefault(tensor => tensor.HalfSplitHeadDim is not null)?.HalfSplitHeadDim;
        }

        CheckpointException.ThrowIfAny(
            ArchitectureCheck.FindContradictions(checkpoint.Tensors, architecture),
            $"The weights of '{checkpoint.Path}' contradict the architecture '{architecture.Name}'",
            "Read the checkpoint with the architecture that it was trained with.");

        return architecture.HeadDim;
    }

    /// <summary>The tensors of a model without those of its LoRA, and each weight once.</summary>
    private static ImmutableArray<CheckpointTensor> WithoutLora(LlamaCheckpoint checkpoint)
    {
        var byName = checkpoint.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var tensors = ImmutableArray.CreateBuilder<CheckpointTensor>();

        foreach (var tensor in checkpoint.Tensors.Where(tensor => !NativeLora.IsMatrix(tensor)))
        {
            if (!NativeLora.IsWrapped(tensor))
            {
                tensors.Add(tensor);
            }
            else if (!byName.TryGetValue(tensor.ParsedName.OfWeight().Name, out var weight))
            {
                tensors.Add(tensor.As(tensor.ParsedName.OfWeight()));
            }
            else if (!SharedStorage.Comparer.Equals(tensor, weight))
            {
                throw new CheckpointException(
                    CheckpointErrorCode.AdapterMismatch,
                    $"'{tensor.Name}' and '{weight.Name}' are one parameter in fairseq2, but two tensors in '{checkpoint.Path}'. Filter one of them out and export the rest first.",
                    tensor.Name);
            }
        }

        return tensors.ToImmutable();
    }
}
