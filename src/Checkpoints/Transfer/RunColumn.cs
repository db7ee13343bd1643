using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>A column of a band, opened for reading.</summary>
/// <param name="Reader">Where the storage's bytes are.</param>
/// <param name="Origin">Where in it the storage begins.</param>
/// <param name="Runs">Which of them; the outermost axis are the rows.</param>
internal sealed record RunColumn(IByteReader Reader, long Origin, ByteRuns Runs)
{
    /// <summary>Bytes that it gives for each row.</summary>
    public long Width { get; } = Runs.Axes[1..].Aggregate(Runs.RunLength, (width, axis) => width * axis.Count);

    /// <summary>Where a row begins.</summary>
    public long PlaceOf(long row) => Origin + Runs.Offset + (row * Runs.Axes[0].Step);
}
