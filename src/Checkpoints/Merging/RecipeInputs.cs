using System.Runtime.InteropServices;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Reading;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.Transfer;

namespace Fairseq2Llama.Merging;

/// <summary>Reads what a tensor is computed from, and compares it with its checksums once all of it was read. May be called from several threads at once.</summary>
/// <param name="data">Gives access to the inputs.</param>
/// <param name="recipe">What is computed.</param>
internal sealed class RecipeInputs(TensorData data, TensorRecipe recipe)
{
    private readonly PieceChecksums _pieces = new();
    private readonly Lazy<bool> _included = new(() =>
    {
        data.Include(recipe.Inputs);
        return true;
    });

    private readonly Dictionary<CheckpointTensor, byte[]> _small = [];
    private long _done;

    /// <summary>Reads a window of an input that has the rows of what is computed, in the order that they have there.</summary>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public void Read(CheckpointTensor input, TensorWindow window, ChunkSink sink) => Read(window.Of(input, recipe.HalfSplitHeadDim), sink);

    /// <summary>Reads a window of an input as float32.</summary>
    /// <param name="input">The input.</param>
    /// <param name="window">Which.</param>
    /// <param name="target">Room for its numbers.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public void ReadNumbers(CheckpointTensor input, TensorWindow window, byte[] target) => ReadNumbers(input, window.Of(input, recipe.HalfSplitHeadDim), target);

    /// <summary>All of a small matrix as float32, read once.</summary>
    /// <param name="input">The matrix.</param>
    /// <param name="halfSplitHeadDim">As <see cref="CheckpointTensor.HalfSplitHeadDim"/>, for the order of rows that it shall have.</param>
    /// <exception cref="CheckpointException">It can't be read.</exception>
    public ReadOnlySpan<float> ReadAll(CheckpointTensor input, int? halfSplitHeadDim)
    {
        lock (_small)
        {
            if (!_small.TryGetValue(input, out var numbers))
            {
                numbers = new byte[input.ElementCount * sizeof(float)];
                ReadNumbers(input, new TensorWindow(0, input.Shape[0], 0, input.Shape[1]).Of(input, halfSplitHeadDim), numbers);
                _small.Add(input, numbers);
            }

            return MemoryMarshal.Cast<byte, float>(numbers);
        }
    }

    /// <summary>Room for numbers, to be given back.</summary>
    public byte[] TakeBuffer(long count) => data.TakeBuffer(checked((int)(count * sizeof(float))));

    public void GiveBack(byte[] buffer) => data.GiveBack(buffer);

    /// <summary>To be told what was computed.</summary>
    /// <param name="length">Bytes.</param>
    /// <exception cref="CheckpointException">It was all, and an input is damaged.</exception>
    public void Done(int length)
    {
        var done = Interlocked.Add(ref _done, length);

        // Whoever reads it a second time comes to an end once more, and not with each window.
        if (done / recipe.Length > (done - length) / recipe.Length)
        {
            Verify();

            lock (_small)
            {
                _small.Clear();
            }
        }
    }

    /// <exception cref="CheckpointException">An input is damaged.</exception>
    public void Verify() => data.Copier.Verify(_pieces, data.CancellationToken);

    private void ReadNumbers(CheckpointTensor input, PlannedStorage storage, byte[] target)
    {
        var length = 0;

        Read(storage, chunk =>
        {
            var numbers = target.AsSpan(length, chunk.Length / input.NumberDType.GetItemSize() * sizeof(float));
            ThirdParty.TensorMath.Cast(input.NumberDType, chunk, DType.Float32, numbers);
            length += numbers.Length;
        });
    }

    private void Read(PlannedStorage storage, ChunkSink sink)
    {
        _ = _included.Value;
        data.Copier.Copy(storage, sink, data.CancellationToken, _pieces);
    }
}
