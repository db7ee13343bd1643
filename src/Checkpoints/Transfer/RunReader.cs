using System.Buffers;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// Reads byte runs in their order, a few MB at a time whatever their number and length. Where runs are short it reads
/// what lies around them in one go, so that a transposed matrix does not become one system call per element.
/// </summary>
internal sealed class RunReader : IDisposable
{
    /// <summary>As long are the pieces in which a run is handed on.</summary>
    public const int WindowSize = 1 << 20;

    /// <summary>The larger, the longer are the pieces in which a transposed matrix is read. Taken only where runs are short.</summary>
    private const int BandSize = 16 << 20;

    /// <summary>Reading up to this many times more than is wanted is faster than reading every run by itself.</summary>
    private const int MaxWaste = 16;

    /// <summary>Below this distance, one call for several runs is faster however little of it is wanted.</summary>
    private const int MinWasteful = 4096;

    private readonly byte[] _window = ArrayPool<byte>.Shared.Rent(WindowSize);
    private byte[]? _band;

    /// <param name="reader">Where the storage's bytes are.</param>
    /// <param name="origin">Where in it the storage begins.</param>
    /// <param name="runs">Which of them.</param>
    /// <param name="sink">Gets them, in pieces whose length is a multiple of the element size.</param>
    public void Read(IByteReader reader, long origin, ByteRuns runs, ChunkSink sink)
    {
        if (runs.Length > 0)
        {
            ReadBox(reader, origin + runs.Offset, runs.RunLength, runs.Axes.AsSpan(), sink);
        }
    }

    /// <summary>Reads rows whose columns come from different places.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Where each column comes from; its outermost axis are the rows.</param>
    /// <param name="sink">Gets them, in pieces whose length is a multiple of the element size.</param>
    public void ReadRows(long rows, IReadOnlyList<RunColumn> columns, ChunkSink sink)
    {
        var width = columns.Sum(column => column.Width);

        if (width > BandSize)
        {
            for (var row = 0L; row < rows; row++)
            {
                foreach (var column in columns)
                {
                    ReadBox(column.Reader, column.PlaceOf(row), column.Runs.RunLength, column.Runs.Axes.AsSpan()[1..], sink);
                }
            }

            return;
        }

        _band ??= ArrayPool<byte>.Shared.Rent(BandSize);

        for (long row = 0, count; row < rows; row += count)
        {
            count = Math.Min(BandSize / width, rows - row);
            var target = _band.AsSpan(0, (int)(count * width));
            var place = 0;

            foreach (var column in columns)
            {
                var axes = column.Runs.Axes.SetItem(0, column.Runs.Axes[0] with { Count = count });
                Gather(column.Reader, column.PlaceOf(row), (int)column.Runs.RunLength, axes.AsSpan(), target[place..], width);
                place += (int)column.Width;
            }

            sink(target);
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_window);

        if (_band is not null)
        {
            ArrayPool<byte>.Shared.Return(_band);
        }
    }

    private void ReadBox(IByteReader reader, long offset, long runLength, ReadOnlySpan<RunAxis> axes, ChunkSink sink)
    {
        if (axes.IsEmpty)
        {
            ReadRun(reader, offset, runLength, sink);
            return;
        }

        var (count, step) = axes[0];
        var slice = runLength;

        foreach (var axis in axes[1..])
        {
            slice *= axis.Count;
        }

        if (slice > BandSize || runLength > WindowSize)
        {
            for (var i = 0L; i < count; i++)
            {
                ReadBox(reader, offset + (i * step), runLength, axes[1..], sink);
            }

            return;
        }

        _band ??= ArrayPool<byte>.Shared.Rent(BandSize);
        Span<RunAxis> band = stackalloc RunAxis[axes.Length];
        axes.CopyTo(band);

        for (var i = 0L; i < count; i += band[0].Count)
        {
            band[0] = new RunAxis(Math.Min(BandSize / slice, count - i), step);
            var target = _band.AsSpan(0, (int)(band[0].Count * slice));
            Gather(reader, offset + (i * step), (int)runLength, band, target, slice);
            sink(target);
        }
    }

    private void ReadRun(IByteReader reader, long offset, long length, ChunkSink sink)
    {
        for (var done = 0L; done < length; done += WindowSize)
        {
            var chunk = _window.AsSpan(0, (int)Math.Min(WindowSize, length - done));
            reader.Read(offset + done, chunk);
            sink(chunk);
        }
    }

    /// <summary>
    /// Fills a band: goes along the axis whose runs lie closest together, for every place on the others. The band may be wider than what
    /// is gathered, and then begins anew every <paramref name="rowStep"/> bytes.
    /// </summary>
    private void Gather(IByteReader reader, long offset, int runLength, ReadOnlySpan<RunAxis> axes, Span<byte> target, long rowStep)
    {
        Span<long> targetSteps = stackalloc long[axes.Length];
        Span<long> place = stackalloc long[axes.Length];
        var closest = axes.Length - 1;

        for (var (i, step) = (axes.Length - 1, (long)runLength); i >= 0; step *= axes[i].Count, i--)
        {
            targetSteps[i] = i == 0 ? rowStep : step;
            closest = axes[i].Step < axes[closest].Step ? i : closest;
        }

        do
        {
            long from = offset, to = 0;

            for (var i = 0; i < axes.Length; i++)
            {
                from += place[i] * axes[i].Step;
                to += place[i] * targetSteps[i];
            }

            GatherAlong(reader, from, runLength, axes[closest], target[(int)to..], (int)targetSteps[closest]);
        }
        while (Advance(place, axes, closest));
    }

    /// <summary>Reads runs along one axis, as many at once as fit the window unless too little of it would be of use.</summary>
    private void GatherAlong(IByteReader reader, long offset, int runLength, RunAxis axis, Span<byte> target, int targetStep)
    {
        if (runLength > WindowSize)
        {
            for (var i = 0L; i < axis.Count; i++)
            {
                reader.Read(offset + (i * axis.Step), target.Slice((int)(i * targetStep), runLength));
            }

            return;
        }

        var atOnce = axis switch
        {
            { Step: 0 } => axis.Count,
            { Step: > MinWasteful } when axis.Step > (long)MaxWaste * runLength => 1,
            _ => Math.Min(axis.Count, ((WindowSize - runLength) / axis.Step) + 1),
        };

        for (var i = 0L; i < axis.Count; i += atOnce)
        {
            var count = Math.Min(atOnce, axis.Count - i);
            var window = _window.AsSpan(0, (int)(((count - 1) * axis.Step) + runLength));
            reader.Read(offset + (i * axis.Step), window);

            for (var j = 0L; j < count; j++)
            {
                window.Slice((int)(j * axis.Step), runLength).CopyTo(target[(int)((i + j) * targetStep)..]);
            }
        }
    }

    /// <summary>Counts up, the last axis fastest and one of them not at all.</summary>
    private static bool Advance(Span<long> place, ReadOnlySpan<RunAxis> axes, int fixedAxis)
    {
        for (var i = axes.Length - 1; i >= 0; i--)
        {
            if (i == fixedAxis)
            {
                continue;
            }

            if (++place[i] < axes[i].Count)
            {
                return true;
            }

            place[i] = 0;
        }

        return false;
    }
}
