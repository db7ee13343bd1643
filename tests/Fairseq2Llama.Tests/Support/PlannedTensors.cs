using System.Text;

namespace Fairseq2Llama.Tests.Support;

/// <summary>Tensors to be written that come from no checkpoint.</summary>
internal static class PlannedTensors
{
    /// <summary>With bytes that another tensor has not.</summary>
    public static PlannedTensor Make(string name, DType dtype, params ReadOnlySpan<long> shape)
    {
        var sizes = new TensorShape(shape);
        var bytes = new byte[sizes.ElementCount * dtype.GetItemSize()];
        new Random(Encoding.UTF8.GetBytes(name).Sum(value => value)).NextBytes(bytes);
        return Make(name, dtype, sizes, new MemorySource(bytes), bytes.Length);
    }

    /// <summary>With data that is nowhere, so that it can be larger than any memory.</summary>
    public static PlannedTensor MakeWithoutData(string name, DType dtype, params ReadOnlySpan<long> shape)
    {
        var sizes = new TensorShape(shape);
        return Make(name, dtype, sizes, new MemorySource([]), checked(sizes.ElementCount * dtype.GetItemSize()));
    }

    private static PlannedTensor Make(string name, DType dtype, TensorShape shape, MemorySource source, long length)
    {
        var storage = new StoredBytes { Source = source, Record = name, Offset = 0, Length = length };
        return new PlannedTensor(name, $"source of {name}", dtype, shape, new PlannedStorage(dtype, [RowBlock.Of(new ByteRuns(storage, 0, length, []))]));
    }
}
