using System.IO.Compression;
using Fairseq2Llama.Stores;

namespace Fairseq2Llama.TorchFiles.Zip;

/// <summary>Opens a deflated range of a file as a stream of what was compressed.</summary>
internal static class Deflate
{
    public static Stream Open(IByteReader reader, long offset, long deflatedLength) =>
        new DeflateStream(new RangeStream(reader, offset, deflatedLength), CompressionMode.Decompress);

    /// <summary>A range of a file as the framework's decompressor wants it.</summary>
    private sealed class RangeStream(IByteReader reader, long offset, long length) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, length - _position);
            reader.Read(offset + _position, buffer[..count]);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
