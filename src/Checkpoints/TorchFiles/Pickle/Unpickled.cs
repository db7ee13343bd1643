namespace Fairseq2Llama.TorchFiles.Pickle;

/// <summary>The content of the pickle of a state dict.</summary>
/// <param name="Content">The object itself.</param>
/// <param name="Storages">Every storage that it names, once.</param>
/// <param name="Tensors">Every tensor in it.</param>
internal sealed record Unpickled(
    object? Content, IReadOnlyCollection<PickledStorage> Storages, IReadOnlyCollection<PickledTensor> Tensors)
{
    /// <exception cref="CheckpointException">It is not a pickle, or not one of a state dict.</exception>
    public static Unpickled Read(PickleBytes bytes, PickleBudget budget, CancellationToken cancellationToken)
    {
        var vocabulary = new StateDictVocabulary(budget.File, budget);
        var content = PickleMachine.Run(bytes, budget, vocabulary, cancellationToken);
        return new Unpickled(content, vocabulary.Storages, vocabulary.Tensors);
    }
}
