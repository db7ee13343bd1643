using Fairseq2Llama.Model;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama.Conversion;

/// <summary>Finds the architecture that the shapes of the weights leave possible, where the user named none.</summary>
internal static class ArchitectureInference
{
    /// <summary>
    /// The one that fits. If several fit and the format does not distinguish them (llama3_8b and llama3_1_8b in params.json), the first.
    /// </summary>
    /// <exception cref="CheckpointException">None fits, or several that the format distinguishes.</exception>
    public static LlamaArchitecture Infer(IReadOnlyCollection<CheckpointTensor> tensors, OutputFormat format, string checkpoint)
    {
        if (tensors.All(tensor => tensor.ParsedName.Parameter is null))
        {
            throw Required(checkpoint, "none of its tensors is a parameter of LLaMA. Check that the checkpoint is a LLaMA.");
        }

        var candidates = LlamaArchitectures.All
            .Where(architecture => !ArchitectureCheck.FindContradictions(tensors, architecture).Any())
            .ToArray();

        if (candidates.Length == 0)
        {
            throw Required(
                checkpoint,
                $"no known architecture has its shapes. Make one and pass it with -Architecture: {ArchitectureSuggestion.Of(tensors)}");
        }

        return RequireOne(candidates, format, $"The architecture of '{checkpoint}' can't be determined: its shapes fit");
    }

    /// <summary>The only one; or the first, where the format writes the same for all.</summary>
    /// <param name="candidates">At least one.</param>
    /// <param name="format">The format to be written.</param>
    /// <param name="whatFits">The beginning of a message; their names follow.</param>
    /// <exception cref="CheckpointException">The format distinguishes them.</exception>
    public static LlamaArchitecture RequireOne(IReadOnlyList<LlamaArchitecture> candidates, OutputFormat format, string whatFits) =>
        candidates.Select(candidate => Convert.ToHexString(format.WriteConfig(candidate))).Distinct().Count() == 1
            ? candidates[0]
            : throw new CheckpointException(
                CheckpointErrorCode.ArchitectureRequired,
                $"{whatFits} {string.Join(" and ", candidates.Select(candidate => candidate.Name))}, for which {format.ConfigFileName} differs."
                + " Pass the right one with -Architecture.");

    private static CheckpointException Required(string checkpoint, string what) => new(
        CheckpointErrorCode.ArchitectureRequired, $"The architecture of '{checkpoint}' can't be determined: {what}", checkpoint);
}
