using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// A storage of a file to be written: which bytes of which input storages follow each other in it. Compared by reference: tied weights
/// are two tensors on one storage.
/// </summary>
/// <param name="dtype">The element type that it has in the file to be written.</param>
/// <param name="bands">The bytes of the input.</param>
/// <param name="inputDType">The element type that they have, where they are to be cast.</param>
internal sealed class PlannedStorage(DType dtype, ImmutableArray<RowBlock> bands, DType? inputDType = null)
{
    private const int MinShareable = 256 << 10;

    public DType DType => dtype;

    public DType InputDType => inputDType ?? dtype;

    /// <summary>Whether it takes arithmetic.</summary>
    public bool IsCast => InputDType != DType;

    public ImmutableArray<RowBlock> Bands => bands;

    /// <summary>Everything that is read for it.</summary>
    public IEnumerable<ByteRuns> Runs => bands.SelectMany(band => band.Columns);

    public long Length { get; } = DTypeInfo.Of(dtype).LengthOf(DTypeInfo.Of(inputDType ?? dtype).ElementsIn(bands.Sum(band => band.Length)));

    /// <summary>The input storage that it is, byte for byte; null when it is made of parts, cast, or when bytes change their order.</summary>
    public StoredBytes? UnchangedInput => !IsCast && bands is [{ WholeStorage: { IsBigEndian: false } only }] ? only : null;

    /// <summary>The one run of bytes that it is, unchanged; null when there are several, or they are cast, or change their order.</summary>
    public ByteRuns? OnlyRun => !IsCast && bands is [{ IsBigEndian: false, Columns: [{ Axes.IsEmpty: true } only] }] ? only : null;

    /// <summary>
    /// Whether blocks may be shared with the input instead of copying them: it has a checksum that tells without reading what lies there,
    /// and is large enough to be worth it.
    /// </summary>
    public bool IsShareable => UnchangedInput is { Crc32: not null, DeflatedLength: null } && Length >= MinShareable;

    /// <summary>All of a tensor.</summary>
    public static PlannedStorage Of(TensorView tensor) => new(tensor.DType, [RowBlock.Of(ByteRuns.Of(tensor))]);
}
