using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// A storage of a file to be written: which bytes of which input storages follow each other in it. Compared by reference: tied weights
/// are two tensors on one storage.
/// </summary>
internal sealed class PlannedStorage(DType dtype, ImmutableArray<ByteRuns> runs)
{
    public DType DType => dtype;

    public ImmutableArray<ByteRuns> Runs => runs;

    public long Length { get; } = runs.Sum(run => run.Length);
}
