using System.Collections;

namespace Fairseq2Llama.Reading;

/// <summary>Cuts a tensor into pieces of a MB, which is what is read at a time: several rows, or where one row is too long, columns of it.</summary>
internal sealed class TensorWindows : IReadOnlyList<TensorWindow>
{
    private const long MaxLength = 1 << 20;

    /// <summary>Of dimensions beyond the second none is divided.</summary>
    private const long MaxColumnLength = 4 << 20;

    /// <summary>1 TB; more have only expanded tensors, which can claim any number of elements.</summary>
    private const long MaxCount = 1 << 20;

    private readonly long _rows;
    private readonly long _columns;
    private readonly long _rowStep;
    private readonly long _columnStep;
    private readonly long _perRow;

    /// <param name="tensor">The tensor.</param>
    /// <param name="rowsAtLeast">How many rows have to stay together.</param>
    /// <param name="itemSize">Bytes of an element.</param>
    /// <param name="columnsAtLeast">How many columns have to stay together, as those of a block of a quantized type.</param>
    /// <exception cref="CheckpointException">It is larger than any tensor of a LLaMA, or claims to be.</exception>
    public TensorWindows(CheckpointTensor tensor, int rowsAtLeast, int itemSize, int columnsAtLeast = 1)
    {
        var shape = tensor.Shape;
        _rows = shape.Count > 0 ? shape[0] : 1;
        _columns = shape.Count > 1 ? shape[1] : 1;
        var columnLength = Math.Max(1, shape.ElementCount / Math.Max(1, _rows * _columns) * itemSize);

        _columnStep = Math.Clamp(MaxLength / (columnLength * rowsAtLeast) / columnsAtLeast * columnsAtLeast, Math.Min(columnsAtLeast, Math.Max(1, _columns)), Math.Max(1, _columns));
        _rowStep = _columnStep < _columns ? rowsAtLeast : Math.Max(1, MaxLength / (columnLength * Math.Max(1, _columns)) / rowsAtLeast) * rowsAtLeast;
        _perRow = shape.ElementCount == 0 ? 0 : (_columns + _columnStep - 1) / _columnStep;

        var count = (Int128)((_rows + _rowStep - 1) / _rowStep) * _perRow;

        Count = count <= MaxCount && columnLength <= MaxColumnLength
            ? (int)count
            : throw new CheckpointException(
                CheckpointErrorCode.UnsupportedTensor,
                $"'{tensor.Name}' is {shape}, which is larger than any tensor of a LLaMA.",
                tensor.Name);
    }

    public int Count { get; }

    public TensorWindow this[int index]
    {
        get
        {
            var (row, column) = (index / _perRow * _rowStep, index % _perRow * _columnStep);
            return new TensorWindow(row, Math.Min(_rowStep, _rows - row), column, Math.Min(_columnStep, _columns - column));
        }
    }

    public IEnumerator<TensorWindow> GetEnumerator() => Enumerable.Range(0, Count).Select(index => this[index]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
