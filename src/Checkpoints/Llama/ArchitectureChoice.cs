namespace Fairseq2Llama.Llama;

/// <summary>The architecture that a checkpoint is taken to have, and who says so: the user before model.yaml, model.yaml before the shapes.</summary>
/// <param name="Architecture">The architecture.</param>
/// <param name="Origin">Who says so, to go into a sentence after its name.</param>
internal sealed record ArchitectureChoice(LlamaArchitecture Architecture, string Origin)
{
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="tensors">Those of its tensors that it is about.</param>
    /// <param name="named">The architecture that the user names, or null.</param>
    /// <param name="layout">The form of params.json, which need not tell all of an architecture.</param>
    /// <exception cref="CheckpointException">Nobody says it, or model.yaml can't be used.</exception>
    public static ArchitectureChoice Of(
        Fairseq2Checkpoint checkpoint, IReadOnlyCollection<CheckpointTensor> tensors, LlamaArchitecture? named, ParamsLayout layout) =>
        (named, checkpoint.Config) switch
        {
            ({ } architecture, _) => new ArchitectureChoice(architecture, "as named"),
            (_, { Error: { } error }) => throw error,
            (_, { Architecture: { } architecture } config) => new ArchitectureChoice(architecture, $"according to '{config.Path}'"),
            _ => new ArchitectureChoice(ArchitectureInference.Infer(tensors, layout, checkpoint.Path), "by its shapes"),
        };
}
