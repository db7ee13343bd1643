using System.Numerics;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Reading;

/// <summary>Makes something of a window's elements, which come in row-major order. May be called from several threads at once.</summary>
internal delegate T WindowFunction<out T>(ReadOnlySpan<byte> elements);

/// <summary>Makes something of a window's elements in two tensors. May be called from several threads at once.</summary>
internal delegate T WindowPairFunction<out T>(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right);

/// <summary>
/// Reads tensors window by window, on a few threads where there are several windows. The results come in the order of the windows, however
/// the threads were: sums of it are the same to the last digit every time.
/// </summary>
/// <param name="data">Gives access to the tensors.</param>
/// <param name="report">Told on the caller's thread how many bytes were read since it was told last.</param>
internal sealed class WindowReader(TensorData data, Action<long> report)
{
    public T[] Map<T>(CheckpointTensor tensor, WindowFunction<T> function)
    {
        var windows = new TensorWindows(tensor, tensor.HalfSplitHeadDim ?? 1, tensor.NumberDType.GetItemSize(), BlockOf(tensor));

        return Map(windows, (window, done, pieces, cancellationToken) =>
        {
            var storage = window.Of(tensor);
            var result = Read(storage, function, pieces, cancellationToken);
            done(storage.InputLength);
            return result;
        });
    }

    /// <param name="left">A tensor.</param>
    /// <param name="right">One of the same shape; its type may differ.</param>
    /// <param name="function">Gets both.</param>
    public T[] Map<T>(CheckpointTensor left, CheckpointTensor right, WindowPairFunction<T> function) =>
        Map(WindowsOf(left, right), (window, done, pieces, cancellationToken) => Apply(function, window, left, right, done, pieces, cancellationToken));

    /// <summary>Whether something holds for all windows; reads no more of them once it does not.</summary>
    /// <param name="left">A tensor.</param>
    /// <param name="right">One of the same shape.</param>
    /// <param name="predicate">Gets both.</param>
    public bool All(CheckpointTensor left, CheckpointTensor right, WindowPairFunction<bool> predicate)
    {
        var holds = true;

        Map(WindowsOf(left, right), (window, done, pieces, cancellationToken) =>
        {
            if (Volatile.Read(ref holds) && !Apply(predicate, window, left, right, done, pieces, cancellationToken))
            {
                Volatile.Write(ref holds, false);
            }

            return true;
        });

        return holds;
    }

    private T Apply<T>(
        WindowPairFunction<T> function,
        TensorWindow window,
        CheckpointTensor left,
        CheckpointTensor right,
        Action<long> done,
        PieceChecksums pieces,
        CancellationToken cancellationToken)
    {
        var (leftStorage, rightStorage) = (window.Of(left), window.Of(right));
        var buffer = data.TakeBuffer((int)leftStorage.Length);

        try
        {
            Gather(leftStorage, buffer, pieces, cancellationToken);
            var result = Read(rightStorage, elements => function(buffer.AsSpan(0, (int)leftStorage.Length), elements), pieces, cancellationToken);
            done(leftStorage.InputLength + rightStorage.InputLength);
            return result;
        }
        finally
        {
            data.GiveBack(buffer);
        }
    }

    private static TensorWindows WindowsOf(CheckpointTensor left, CheckpointTensor right) => new(
        left,
        LeastCommonMultiple(left.HalfSplitHeadDim ?? 1, right.HalfSplitHeadDim ?? 1),
        Math.Max(left.NumberDType.GetItemSize(), right.NumberDType.GetItemSize()),
        Math.Max(BlockOf(left), BlockOf(right)));

    private static int BlockOf(CheckpointTensor tensor) => DTypeInfo.Of(tensor.DType).ElementsPerBlock;

    private T[] Map<T>(TensorWindows windows, Func<TensorWindow, Action<long>, PieceChecksums, CancellationToken, T> read)
    {
        var workers = new Workers(report, data.CancellationToken);
        var results = new T[windows.Count];
        var pieces = new PieceChecksums();

        workers.Run(
            [.. Enumerable.Range(0, windows.Count)],
            isParallel: windows.Count > 1,
            (index, cancellationToken) => results[index] = read(windows[index], workers.Done, pieces, cancellationToken));
        data.Copier.Verify(pieces, data.CancellationToken);
        return results;
    }

    /// <summary>Two models may have heads of different sizes, and none may be torn.</summary>
    private static int LeastCommonMultiple(int left, int right) => left / (int)BigInteger.GreatestCommonDivisor(left, right) * right;

    /// <summary>Mostly a window comes in one chunk, which need not be copied.</summary>
    private T Read<T>(PlannedStorage storage, WindowFunction<T> function, PieceChecksums pieces, CancellationToken cancellationToken)
    {
        if (storage.OnlyRun is null or { RunLength: > RunReader.WindowSize })
        {
            var buffer = data.TakeBuffer((int)storage.Length);

            try
            {
                Gather(storage, buffer, pieces, cancellationToken);
                return function(buffer.AsSpan(0, (int)storage.Length));
            }
            finally
            {
                data.GiveBack(buffer);
            }
        }

        var result = default(T)!;
        data.Copier.Copy(storage, chunk => result = function(chunk), cancellationToken, pieces);
        return result;
    }

    private void Gather(PlannedStorage storage, byte[] buffer, PieceChecksums pieces, CancellationToken cancellationToken)
    {
        var place = 0;

        data.Copier.Copy(storage, chunk =>
        {
            chunk.CopyTo(buffer.AsSpan(place));
            place += chunk.Length;
        }, cancellationToken, pieces);
    }
}
