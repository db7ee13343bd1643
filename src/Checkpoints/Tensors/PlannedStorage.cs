using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// A storage of a file to be written: which bytes of which input storages follow each other in it. Compared by reference: tied weights
/// are two tensors on one storage.
/// </summary>
internal sealed class PlannedStorage(DType dtype, ImmutableArray<RunBand> bands)
{
    public DType DType => dtype;

    public ImmutableArray<RunBand> Bands => bands;

    /// <summary>Everything that is read for it.</summary>
    public IEnumerable<ByteRuns> Runs => bands.SelectMany(band => band.Columns);

    public long Length { get; } = bands.Sum(band => band.Length);

    /// <summary>All of a tensor.</summary>
    public static PlannedStorage Of(TorchTensor tensor) => new(tensor.DType, [RunBand.Of(ByteRuns.Of(tensor))]);
}
