using System.Collections.Immutable;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Model;

/// <summary>Where the parts of a tensor lie.</summary>
/// <param name="Copies">The parts that tile it; more than once where several files have all of it.</param>
/// <param name="Shards">The part of it in each file.</param>
internal sealed record TensorPlaces(ImmutableArray<ImmutableArray<TensorPart>> Copies, ImmutableArray<TensorShard> Shards);
