using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Merging;

/// <summary>The windows that were computed last: who reads a tensor in pieces takes each window several times. Serves several threads at once.</summary>
internal sealed class WindowCache
{
    private readonly Slot[] _slots = [.. Enumerable.Range(0, (2 * Environment.ProcessorCount) + 1).Select(_ => new Slot())];
    private long _time;

    /// <param name="key">The tensor and the number of the window.</param>
    /// <param name="length">Bytes of it.</param>
    /// <param name="compute">Computes it, into a buffer of that length.</param>
    /// <param name="start">The first byte that is wanted.</param>
    /// <param name="target">Gets as many as it has room for.</param>
    public void Read((int Tensor, long Window) key, long length, ChunkSink compute, int start, Span<byte> target)
    {
        var slot = Take(key);

        lock (slot)
        {
            // Meanwhile it may have been taken for another window.
            if (slot.Content != key)
            {
                slot.Content = null;
                slot.Bytes = slot.Bytes.Length >= length ? slot.Bytes : GC.AllocateUninitializedArray<byte>(checked((int)length));
                compute(slot.Bytes.AsSpan(0, (int)length));
                slot.Content = key;
            }

            slot.Bytes.AsSpan(start, target.Length).CopyTo(target);
        }
    }

    private Slot Take((int, long) key)
    {
        lock (_slots)
        {
            var slot = Array.Find(_slots, slot => slot.Meant == key) ?? _slots.MinBy(slot => slot.LastUse)!;
            slot.Meant = key;
            slot.LastUse = ++_time;
            return slot;
        }
    }

    private sealed class Slot
    {
        public (int, long)? Meant { get; set; }

        public (int, long)? Content { get; set; }

        public long LastUse { get; set; }

        public byte[] Bytes { get; set; } = [];
    }
}
