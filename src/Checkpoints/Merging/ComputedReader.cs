using System.Collections.Immutable;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Merging;

/// <summary>Computes whatever is read of a <see cref="ComputedFile"/>. Serves several threads at once.</summary>
internal sealed class ComputedReader : IByteReader
{
    private readonly ImmutableArray<PlacedRecipe> _tensors;
    private readonly RecipeInputs[] _inputs;
    private readonly WindowCache _windows = new();
    private readonly TensorData _data;

    /// <param name="tensors">What the file has, by offset.</param>
    /// <param name="verification">How much to check of what is read for them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public ComputedReader(ImmutableArray<PlacedRecipe> tensors, VerificationPolicy verification, CancellationToken cancellationToken)
    {
        _tensors = tensors;
        _data = new TensorData([], cancellationToken, verification);
        _inputs = [.. tensors.Select(tensor => new RecipeInputs(_data, tensor.Recipe))];
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        for (var index = IndexAt(offset); !buffer.IsEmpty; index++)
        {
            var bytes = _tensors[index].Bytes;
            var part = buffer[..(int)Math.Clamp(bytes.Offset + bytes.Length - offset, 0, buffer.Length)];
            Read(index, offset - bytes.Offset, part);

            // Between two tensors there is nothing.
            var next = index + 1 < _tensors.Length ? _tensors[index + 1].Bytes.Offset : long.MaxValue;
            var gap = buffer[part.Length..(int)Math.Min(next - offset, buffer.Length)];
            gap.Clear();
            buffer = buffer[(part.Length + gap.Length)..];
            offset = next;
        }
    }

    /// <inheritdoc/>
    public void RequireUnchanged()
    {
        foreach (var inputs in _inputs)
        {
            inputs.Verify();
        }

        _data.Copier.RequireUnchangedInputs();
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();

    private int IndexAt(long offset)
    {
        var (low, high) = (0, _tensors.Length - 1);

        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _tensors[middle].Bytes.Offset <= offset ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private void Read(int index, long offset, Span<byte> target)
    {
        var recipe = _tensors[index].Recipe;
        var size = recipe.DType.GetItemSize();

        if (target.IsEmpty)
        {
            return;
        }

        if (!recipe.IsElementwise || offset % size != 0 || target.Length % size != 0)
        {
            ReadWindows(index, offset, target);
            return;
        }

        foreach (var window in ElementRange.Divide(recipe.Shape, offset / size, target.Length / size))
        {
            var length = (int)(window.Rows * window.Columns * size);
            Compute(index, window, target[..length]);
            target = target[length..];
        }
    }

    private void ReadWindows(int index, long offset, Span<byte> target)
    {
        var recipe = _tensors[index].Recipe;
        var grid = new RowGrid(recipe);

        while (!target.IsEmpty)
        {
            var number = offset / grid.Step;
            var window = grid[number];
            var skipped = (int)(offset - (number * grid.Step));
            var length = (int)Math.Min(grid.LengthOf(window) - skipped, target.Length);
            _windows.Read((index, number), grid.LengthOf(window), bytes => Compute(index, window, bytes), skipped, target[..length]);
            target = target[length..];
            offset += length;
        }
    }

    private void Compute(int index, TensorWindow window, Span<byte> target)
    {
        _data.CancellationToken.ThrowIfCancellationRequested();
        _tensors[index].Recipe.Compute(window, target, _inputs[index]);
        _inputs[index].Done(target.Length);
    }
}
