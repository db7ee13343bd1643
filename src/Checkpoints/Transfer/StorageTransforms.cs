using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>What becomes of the bytes of a storage as they stream by, as its plan says: first their order, then the type of its elements.</summary>
internal sealed class StorageTransforms : IDisposable
{
    private readonly ElementCast? _cast;
    private readonly TransformSink? _castSink;
    private readonly TransformSink? _swapSink;

    /// <param name="storage">The storage.</param>
    /// <param name="sink">Gets it as it is to be written.</param>
    /// <param name="beforeCast">Gets it as it is before a cast; null for nobody.</param>
    public StorageTransforms(PlannedStorage storage, ChunkSink sink, ChunkSink? beforeCast = null)
    {
        LittleEndian = BigEndian = sink;

        if (storage.IsCast)
        {
            _cast = new ElementCast(storage.InputDType, storage.DType);
            _castSink = new TransformSink(_cast, sink);
            LittleEndian = BigEndian = beforeCast is null ? _castSink.Write : chunk =>
            {
                beforeCast(chunk);
                _castSink.Write(chunk);
            };
        }

        if (storage.Bands.Any(band => band.IsBigEndian) && DTypeInfo.Of(storage.InputDType).SwapUnit is > 1 and var numberSize)
        {
            _swapSink = new TransformSink(new ByteSwap(numberSize), LittleEndian);
            BigEndian = _swapSink.Write;
        }
    }

    /// <summary>Takes bytes as most files have them.</summary>
    public ChunkSink LittleEndian { get; }

    /// <summary>Takes those that a big-endian machine wrote.</summary>
    public ChunkSink BigEndian { get; }

    /// <summary>How many finite numbers have become infinite so far.</summary>
    public long Overflows => _cast?.Overflows ?? 0;

    public void Dispose()
    {
        _castSink?.Dispose();
        _swapSink?.Dispose();
    }
}
