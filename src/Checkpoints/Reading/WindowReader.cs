using System.Numerics;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Reading;

/// <summary>Takes a window's place among the windows, and its elements in row-major order. May be called from several threads at once.</summary>
internal delegate void WindowAction(int index, ReadOnlySpan<byte> elements);

/// <summary>Takes a window's place among the windows, and its elements in two tensors. May be called from several threads at once.</summary>
internal delegate void WindowPairAction(int index, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right);

/// <summary>Reads tensors window by window, on a few threads where there are several windows.</summary>
/// <param name="data">Gives access to the tensors.</param>
/// <param name="report">Told on the caller's thread how many bytes were read since it was told last.</param>
internal sealed class WindowReader(TensorData data, Action<long> report)
{
    public void ForEach(CheckpointTensor tensor, WindowAction action)
    {
        var windows = new TensorWindows(tensor, tensor.HalfSplitHeadDim ?? 1, tensor.DType.GetItemSize());

        Run(windows, (index, done) =>
        {
            using var elements = Read(windows[index].Of(tensor));
            action(index, elements.Bytes);
            done(elements.Bytes.Length);
        });
    }

    /// <param name="left">A tensor.</param>
    /// <param name="right">One of the same shape, be it of another type.</param>
    /// <param name="action">Gets both.</param>
    public void ForEach(CheckpointTensor left, CheckpointTensor right, WindowPairAction action)
    {
        var windows = new TensorWindows(
            left,
            LeastCommonMultiple(left.HalfSplitHeadDim ?? 1, right.HalfSplitHeadDim ?? 1),
            Math.Max(left.DType.GetItemSize(), right.DType.GetItemSize()));

        Run(windows, (index, done) =>
        {
            using var leftElements = Read(windows[index].Of(left));
            using var rightElements = Read(windows[index].Of(right));
            action(index, leftElements.Bytes, rightElements.Bytes);
            done(leftElements.Bytes.Length + rightElements.Bytes.Length);
        });
    }

    /// <summary>Two models may have heads of different sizes, and none may be torn.</summary>
    private static int LeastCommonMultiple(int left, int right) => left / (int)BigInteger.GreatestCommonDivisor(left, right) * right;

    private void Run(TensorWindows windows, Action<int, Action<long>> read)
    {
        var workers = new Workers(report);
        workers.Run([.. Enumerable.Range(0, windows.Count)], isParallel: windows.Count > 1, index => read(index, workers.Done));
    }

    private PooledBytes Read(PlannedStorage storage)
    {
        var elements = new PooledBytes((int)storage.Length);

        try
        {
            var place = 0;

            data.Copier.Copy(storage, chunk =>
            {
                chunk.CopyTo(elements.Bytes[place..]);
                place += chunk.Length;
            });

            return elements;
        }
        catch
        {
            elements.Dispose();
            throw;
        }
    }
}
