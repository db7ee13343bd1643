using System.Buffers;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>Transforms chunks and hands them on. Where a chunk ends within a block, the rest of the block may come with later ones.</summary>
/// <param name="transform">What becomes of a block.</param>
/// <param name="next">Gets what it became; another one of these, too.</param>
internal sealed class TransformSink(IBlockTransform transform, ChunkSink next) : IDisposable
{
    private const int BufferSize = 1 << 20;

    /// <summary>Nothing would ever fit where a block is larger.</summary>
    private readonly IBlockTransform _transform = transform.OutputBlockSize <= BufferSize
        ? transform
        : throw new ArgumentOutOfRangeException(nameof(transform), transform.OutputBlockSize, $"A block must not become larger than {BufferSize} bytes.");

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private readonly byte[] _block = new byte[transform.InputBlockSize];
    private int _filled;

    public void Write(Span<byte> chunk)
    {
        if (_filled > 0)
        {
            chunk = chunk[Fill(chunk)..];

            if (_filled < _block.Length)
            {
                return;
            }

            Transform(_block);
        }

        var torn = chunk.Length % _block.Length;
        Transform(chunk[..^torn]);
        _filled = 0;
        Fill(chunk[^torn..]);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private int Fill(ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(_block.Length - _filled, bytes.Length);
        bytes[..count].CopyTo(_block.AsSpan(_filled));
        _filled += count;
        return count;
    }

    private void Transform(ReadOnlySpan<byte> blocks)
    {
        while (!blocks.IsEmpty)
        {
            var count = Math.Min(blocks.Length / _transform.InputBlockSize, BufferSize / _transform.OutputBlockSize);
            var input = blocks[..(count * transform.InputBlockSize)];
            var output = _buffer.AsSpan(0, count * _transform.OutputBlockSize);

            _transform.Transform(input, output);
            next(output);
            blocks = blocks[input.Length..];
        }
    }
}
