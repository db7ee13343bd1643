using System.Runtime.InteropServices;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.Benchmark;

/// <summary>
/// Endless bfloat16 weights between -2 and 2, the same ones at the same place each time. No block of them comes twice, so a file system
/// that compresses or deduplicates has no less to do than with trained ones.
/// </summary>
internal sealed class RandomWeights : IByteSource
{
    /// <summary>What offsets have to be a multiple of.</summary>
    public const int Alignment = sizeof(ulong);

    /// <summary>Without the highest bit of their exponents, numbers are below 2 and neither infinite nor NaN.</summary>
    private const ulong SmallExponents = 0xbfff_bfff_bfff_bfff;

    public string Name => "random weights";

    public long Length => long.MaxValue;

    public IByteReader Open(CancellationToken cancellationToken = default) => new Reader();

    /// <summary>SplitMix64: as fast as the memory, and any place can be had without those before it.</summary>
    private static ulong WordAt(ulong index)
    {
        var word = (index + 1) * 0x9e37_79b9_7f4a_7c15;
        word = (word ^ (word >> 30)) * 0xbf58_476d_1ce4_e5b9;
        word = (word ^ (word >> 27)) * 0x94d0_49bb_1331_11eb;
        return (word ^ (word >> 31)) & SmallExponents;
    }

    private sealed class Reader : IByteReader
    {
        public void Read(long offset, Span<byte> buffer)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(offset % Alignment, 0);

            var index = (ulong)(offset / Alignment);
            var words = MemoryMarshal.Cast<byte, ulong>(buffer);

            for (var i = 0; i < words.Length; i++)
            {
                words[i] = WordAt(index++);
            }

            var rest = buffer[(words.Length * Alignment)..];
            BitConverter.GetBytes(WordAt(index)).AsSpan(0, rest.Length).CopyTo(rest);
        }

        public void RequireUnchanged()
        {
        }

        public void Dispose()
        {
        }
    }
}
