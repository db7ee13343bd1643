using Fairseq2Llama.Llama;
using Fairseq2Llama.Model;

namespace Fairseq2Llama.Distributed;

/// <summary>The size of heads, by which the rows of query and key projections are ordered under Hugging Face's names. Shapes do not show it, and metadata does not say it.</summary>
internal static class RotaryHeads
{
    /// <param name="path">The checkpoint, for messages.</param>
    /// <param name="named">The architecture that the user named, if any.</param>
    /// <param name="file">The file that describes the architecture, if any.</param>
    /// <param name="tensors">The weights.</param>
    /// <exception cref="CheckpointException">It is not known, and no known architecture has these shapes, or several with heads of different sizes; or the weights contradict what is known.</exception>
    public static int Find(string path, LlamaArchitecture? named, ArchitectureFile? file, IReadOnlyCollection<CheckpointTensor> tensors)
    {
        if ((named ?? file?.Architecture) is { } told)
        {
            // An export may be given another architecture, which would hide that the rows are in the order of this one.
            CheckpointException.ThrowIfAny(
                ArchitectureCheck.FindContradictions(tensors, told),
                $"The weights of '{path}' contradict the architecture '{told.Name}' ({(named is null ? $"according to '{file!.Path}'" : "given with -Architecture")}), on which the order of"
                    + " query and key rows depends",
                "Name the architecture that the model was trained with, or make it with New-LlamaArchitecture. Also check whether files of the checkpoint are missing.");

            return told.HeadDim;
        }

        if (file?.Error is { } error)
        {
            throw error;
        }

        var sizes = LlamaArchitectures.All
            .Where(architecture => !ArchitectureCheck.FindContradictions(tensors, architecture).Any())
            .Select(architecture => architecture.HeadDim)
            .Distinct()
            .ToArray();

        return sizes is [var only] ? only : throw new CheckpointException(
            CheckpointErrorCode.ArchitectureRequired,
            $"The tensors of '{path}' have Hugging Face's names, so the order of query and key rows depends on the size of a head, which can't be determined:"
                + $" {(sizes.Length == 0 ? "no known architecture has" : "several known architectures have")} its shapes. Name the"
                + " architecture with Read-LlamaCheckpoint -Architecture, or give the config.json of the model with Read-LlamaCheckpoint -ConfigPath."
                + $" {ArchitectureSuggestion.Of(tensors)}",
            path);
    }
}
