using System.Numerics;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Reading;

/// <summary>Makes something of a window's elements, which come in row-major order. May be called from several threads at once.</summary>
internal delegate T WindowFunction<out T>(ReadOnlySpan<byte> elements);

/// <summary>Makes something of a window's elements in two tensors. May be called from several threads at once.</summary>
internal delegate T WindowPairFunction<out T>(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right);

/// <summary>
/// Reads tensors window by window, on a few threads where there are several windows. What is made of the windows comes in their order, however
/// the threads were: sums of it are the same to the last digit every time.
/// </summary>
/// <param name="data">Gives access to the tensors.</param>
/// <param name="report">Told on the caller's thread how many bytes were read since it was told last.</param>
internal sealed class WindowReader(TensorData data, Action<long> report)
{
    public T[] Map<T>(CheckpointTensor tensor, WindowFunction<T> function)
    {
        var windows = new TensorWindows(tensor, tensor.HalfSplitHeadDim ?? 1, tensor.DType.GetItemSize());

        return Map(windows, (window, done, cancellationToken) =>
        {
            using var elements = Read(window.Of(tensor), cancellationToken);
            var result = function(elements.Bytes);
            done(elements.Bytes.Length);
            return result;
        });
    }

    /// <param name="left">A tensor.</param>
    /// <param name="right">One of the same shape, be it of another type.</param>
    /// <param name="function">Gets both.</param>
    public T[] Map<T>(CheckpointTensor left, CheckpointTensor right, WindowPairFunction<T> function) =>
        Map(WindowsOf(left, right), (window, done, cancellationToken) => Apply(function, window, left, right, done, cancellationToken));

    /// <summary>Whether something holds for all windows; reads no more of them once it does not.</summary>
    /// <param name="left">A tensor.</param>
    /// <param name="right">One of the same shape.</param>
    /// <param name="predicate">Gets both.</param>
    public bool All(CheckpointTensor left, CheckpointTensor right, WindowPairFunction<bool> predicate)
    {
        var holds = true;

        Map(WindowsOf(left, right), (window, done, cancellationToken) =>
        {
            if (Volatile.Read(ref holds) && !Apply(predicate, window, left, right, done, cancellationToken))
            {
                Volatile.Write(ref holds, false);
            }

            return true;
        });

        return holds;
    }

    private T Apply<T>(WindowPairFunction<T> function, TensorWindow window, CheckpointTensor left, CheckpointTensor right, Action<long> done, CancellationToken cancellationToken)
    {
        using var leftElements = Read(window.Of(left), cancellationToken);
        using var rightElements = Read(window.Of(right), cancellationToken);
        var result = function(leftElements.Bytes, rightElements.Bytes);
        done(leftElements.Bytes.Length + rightElements.Bytes.Length);
        return result;
    }

    private static TensorWindows WindowsOf(CheckpointTensor left, CheckpointTensor right) => new(
        left,
        LeastCommonMultiple(left.HalfSplitHeadDim ?? 1, right.HalfSplitHeadDim ?? 1),
        Math.Max(left.DType.GetItemSize(), right.DType.GetItemSize()));

    private T[] Map<T>(TensorWindows windows, Func<TensorWindow, Action<long>, CancellationToken, T> read)
    {
        var workers = new Workers(report, data.CancellationToken);
        var results = new T[windows.Count];

        workers.Run([.. Enumerable.Range(0, windows.Count)], isParallel: windows.Count > 1, (index, cancellationToken) => results[index] = read(windows[index], workers.Done, cancellationToken));
        return results;
    }

    /// <summary>Two models may have heads of different sizes, and none may be torn.</summary>
    private static int LeastCommonMultiple(int left, int right) => left / (int)BigInteger.GreatestCommonDivisor(left, right) * right;

    private PooledBytes Read(PlannedStorage storage, CancellationToken cancellationToken)
    {
        var elements = new PooledBytes((int)storage.Length);

        try
        {
            var place = 0;

            data.Copier.Copy(storage, chunk =>
            {
                chunk.CopyTo(elements.Bytes[place..]);
                place += chunk.Length;
            }, cancellationToken);

            return elements;
        }
        catch
        {
            elements.Dispose();
            throw;
        }
    }
}
