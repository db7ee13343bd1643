namespace Fairseq2Llama;

/// <summary>A tensor of one checkpoint and the same one of another, or what only one has.</summary>
/// <param name="Name">Its name in fairseq2's convention; of what LLaMA does not have, the one that its checkpoint has for it.</param>
/// <param name="Reference">That of the one.</param>
/// <param name="Difference">That of the other.</param>
public sealed record TensorPair(string Name, CheckpointTensor? Reference, CheckpointTensor? Difference);
