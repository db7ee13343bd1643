using System.Globalization;
using Fairseq2Llama.Llama;
using Fairseq2Llama.Planning;

namespace Fairseq2Llama.Conversion;

/// <summary>
/// The architecture of a checkpoint and its origin: first the user, then a file beside the weights, then the shapes.
/// </summary>
/// <param name="Architecture">The architecture.</param>
/// <param name="Origin">Where it comes from, as a clause after its name.</param>
/// <param name="File">The file that it comes from; null if it comes from elsewhere.</param>
internal sealed record ArchitectureChoice(LlamaArchitecture Architecture, string Origin, ArchitectureFile? File = null)
{
    /// <summary>The choice in a sentence.</summary>
    public string Reason => string.Create(
        CultureInfo.InvariantCulture,
        $"Architecture: {Architecture.Name}, {Quantity.Of(Architecture.NumLayers, "layer")} of {Architecture.ModelDim}, {Origin}.");

    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="tensors">Those of its tensors that it is about.</param>
    /// <param name="named">The architecture that the user names, or null for that which was named when the checkpoint was read, if any.</param>
    /// <param name="format">The format to be written, which may not record all of an architecture.</param>
    /// <exception cref="CheckpointException">It is ambiguous, or the file can't be used.</exception>
    public static ArchitectureChoice Of(
        LlamaCheckpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture? named, OutputFormat format) =>
        (named ?? checkpoint.NamedArchitecture, checkpoint.ArchitectureFile) switch
        {
            ({ } architecture, var file) => OfUser(Complete(architecture, file)),
            (_, { Error: { } error }) => throw error,
            (_, { Architecture: { } architecture } file) => new ArchitectureChoice(
                ArchitectureInference.RequireOne([architecture, .. file.Alternatives], format, $"'{file.Path}' fits"),
                $"according to '{file.Path}'",
                file),
            _ => new ArchitectureChoice(ArchitectureInference.Infer(tensors, format, checkpoint.Path), "inferred from the shapes"),
        };

    public static ArchitectureChoice OfUser(LlamaArchitecture named) => new(named, "given with -Architecture");

    /// <summary>If the user names one of the architectures that the file leaves possible, the other facts of the file, such as the epsilon, are kept.</summary>
    internal static LlamaArchitecture Complete(LlamaArchitecture named, ArchitectureFile? file) =>
        file?.Alternatives.Prepend(file.Architecture).FirstOrDefault(told =>
            LlamaArchitectures.All.Contains(named) && told is not null && told with { NormEps = named.NormEps, TiedEmbeddings = named.TiedEmbeddings } == named) ?? named;
}
