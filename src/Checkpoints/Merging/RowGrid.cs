using Fairseq2Llama.Reading;

namespace Fairseq2Llama.Merging;

/// <summary>The windows that a tensor is computed in if its pieces can't be computed by themselves: whole rows, of about a MB.</summary>
internal readonly struct RowGrid
{
    private const long WindowSize = 1 << 20;

    private readonly TensorShape _shape;
    private readonly long _rowLength;
    private readonly long _rows;

    public RowGrid(TensorRecipe recipe)
    {
        _shape = recipe.Shape;
        _rowLength = recipe.Length / Math.Max(1, RowsOf(_shape));
        _rows = Math.Max(1, WindowSize / Math.Max(1, _rowLength) / recipe.RowsAtLeast) * recipe.RowsAtLeast;
    }

    /// <summary>Bytes from one window to the next.</summary>
    public long Step => _rows * _rowLength;

    /// <summary>A window, by its number from 0.</summary>
    public TensorWindow this[long number] => new(number * _rows, Math.Min(_rows, RowsOf(_shape) - (number * _rows)), 0, _shape.Count > 1 ? _shape[1] : 1);

    /// <summary>Bytes of a window.</summary>
    public long LengthOf(TensorWindow window) => window.Rows * _rowLength;

    private static long RowsOf(TensorShape shape) => shape.Count > 0 ? shape[0] : 1;
}
