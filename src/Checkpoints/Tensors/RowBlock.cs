using System.Collections.Immutable;

namespace Fairseq2Llama.Tensors;

/// <summary>
/// Rows of a storage to be written, each made of what its columns give for it, side by side: that is how shards that were split along
/// dim 1 are merged. One column alone may be any runs; of several, the outermost axis of each are the rows.
/// </summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Columns">The runs of each column, all of the same byte order.</param>
internal sealed record RowBlock(long Rows, ImmutableArray<ByteRuns> Columns)
{
    public long Length { get; } = Columns.Sum(column => column.Length);

    public bool IsBigEndian => Columns[0].Storage.IsBigEndian;

    /// <summary>The storage that it is, from the first byte to the last; null when it is only a part of one, or made of several.</summary>
    public StoredBytes? WholeStorage => Columns is [{ IsWholeStorage: true } only] ? only.Storage : null;

    public static RowBlock Of(ByteRuns runs) => new(1, [runs]);
}
