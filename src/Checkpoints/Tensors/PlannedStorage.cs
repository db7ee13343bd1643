using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// A storage of a file to be written: which bytes of which input storages follow each other in it, and what becomes of them; or how it is
/// computed. Compared by reference: tied weights are two tensors on one storage.
/// </summary>
internal sealed class PlannedStorage
{
    private const int MinShareable = 256 << 10;

    /// <param name="dtype">The element type that it has in the file to be written.</param>
    /// <param name="bands">The bytes of the input.</param>
    /// <param name="inputDType">The element type that they have, where they are to be cast.</param>
    public PlannedStorage(DType dtype, ImmutableArray<RowBlock> bands, DType? inputDType = null)
    {
        DType = dtype;
        InputDType = inputDType ?? dtype;
        Bands = bands;
        InputLength = bands.Sum(band => band.Length);
        Length = DTypeInfo.Of(DType).LengthOf(DTypeInfo.Of(InputDType).ElementsIn(InputLength));
    }

    private PlannedStorage(DType dtype, long length, Action<ChunkSink> compute)
    {
        DType = InputDType = dtype;
        Bands = [];
        Length = length;
        Compute = compute;
    }

    public DType DType { get; }

    public DType InputDType { get; }

    /// <summary>Whether it takes arithmetic.</summary>
    public bool IsCast => InputDType != DType;

    public ImmutableArray<RowBlock> Bands { get; }

    /// <summary>Gives all of its bytes, chunk by chunk, where none are read; otherwise null.</summary>
    public Action<ChunkSink>? Compute { get; }

    /// <summary>Everything that is read for it.</summary>
    public IEnumerable<ByteRuns> Runs => Bands.SelectMany(band => band.Columns);

    public long Length { get; }

    /// <summary>Bytes that are read for it.</summary>
    public long InputLength { get; }

    /// <summary>The input storage that it is, byte for byte; null when it is made of parts, cast, or when bytes change their order.</summary>
    public StoredBytes? UnchangedInput => !IsCast && Bands is [{ WholeStorage: { IsBigEndian: false } only }] ? only : null;

    /// <summary>The one run of bytes that it is, unchanged; null when there are several, or they are cast, or change their order.</summary>
    public ByteRuns? OnlyRun => !IsCast && Bands is [{ IsBigEndian: false, Columns: [{ Axes.IsEmpty: true } only] }] ? only : null;

    /// <summary>
    /// Whether blocks may be shared with the input instead of copying them: it has a checksum, so that it need not be read,
    /// and is large enough to be worth it.
    /// </summary>
    public bool IsShareable => UnchangedInput is { Crc32: not null, DeflatedLength: null } && Length >= MinShareable;

    /// <summary>All of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="castTo">The type that it shall have, if another.</param>
    public static PlannedStorage Of(TensorView tensor, DType? castTo = null) => new(castTo ?? tensor.DType, [RowBlock.Of(ByteRuns.Of(tensor))], tensor.DType);

    /// <summary>One that is in no file.</summary>
    /// <param name="dtype">The element type.</param>
    /// <param name="elementCount">How many elements it has.</param>
    /// <param name="compute">Gives them, little-endian, whenever it is written.</param>
    public static PlannedStorage Computed(DType dtype, long elementCount, Action<ChunkSink> compute) =>
        new(dtype, DTypeInfo.Of(dtype).LengthOf(elementCount), compute);
}
