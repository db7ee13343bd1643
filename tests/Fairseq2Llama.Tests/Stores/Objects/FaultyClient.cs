using Fairseq2Llama.Stores;
using Fairseq2Llama.Stores.Objects;

namespace Fairseq2Llama.Tests.Stores.Objects;

/// <summary>How the body of a reply comes.</summary>
public enum Body
{
    Whole,
    Cut,
    Reset,
    Stalled,
}

/// <summary>A reply that is not as it should be.</summary>
internal sealed record Reply
{
    public int Status { get; init; } = 206;

    public bool HasContentRange { get; init; }

    public string? ContentRange { get; init; }

    public string? Version { get; init; }

    public Body Body { get; init; }

    /// <summary>How many bytes come before the body breaks off.</summary>
    public int After { get; init; }
}

/// <summary>A store with one object, whose replies can be wrong in any way.</summary>
internal sealed class FaultyClient(byte[] bytes) : IObjectClient
{
    private readonly object _lock = new();
    private int _running;

    /// <summary>What is special about the reply to a request, by its number from 1; null for nothing.</summary>
    public Func<int, Reply?> OnRequest { get; init; } = _ => null;

    public TimeSpan Latency { get; init; }

    public StoredObject Object { get; } = new("key", bytes.Length, "\"1\"");

    public List<ByteRange> Ranges { get; } = [];

    public int Requests { get; private set; }

    public int MostAtOnce { get; private set; }

    public PartLimits Parts => throw new NotSupportedException();

    public string AddressOf(string key) => $"faulty://{key}";

    public async Task<RangeReply> ReadAsync(StoredObject source, ByteRange range, CancellationToken cancellationToken)
    {
        Reply? reply;

        lock (_lock)
        {
            Requests++;
            Ranges.Add(range);
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
        }

        try
        {
            await Task.Delay(Latency, cancellationToken);
            reply = OnRequest(Requests);
        }
        finally
        {
            lock (_lock)
            {
                _running--;
            }
        }

        var content = bytes.AsMemory((int)range.Offset, (int)range.Length);
        return new RangeReply(
            reply?.Status ?? 206,
            reply is { HasContentRange: true } ? reply.ContentRange : $"bytes {range.Offset}-{range.End - 1}/{bytes.Length}",
            reply?.Version ?? source.Version,
            reply is null or { Body: Body.Whole } ? new MemoryStream(content.ToArray()) : new BrokenStream(content[..reply.After], reply.Body));
    }

    public Task<ObjectPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> PutAsync(string key, ReadOnlyMemory<byte> content, string run, string? replaces, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DeleteAsync(string key, string version, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> BeginAsync(string key, string run, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> UploadAsync(string key, string upload, int number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string?> CopyAsync(
        string key, string upload, int number, IObjectClient from, StoredObject source, ByteRange range, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> CompleteAsync(
        string key, string upload, string run, IReadOnlyList<UploadedPart> parts, string? replaces, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DiscardAsync(string key, string upload, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> FindUploadsAsync(string key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public bool CanCopyFrom(IObjectClient other) => false;

    private sealed class BrokenStream(ReadOnlyMemory<byte> start, Body body) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(buffer.Length, start.Length - _position);

            if (count > 0)
            {
                start.Slice(_position, count).CopyTo(buffer);
                _position += count;
                return count;
            }

            if (body == Body.Stalled)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return body == Body.Cut ? 0 : throw new IOException("The connection was reset.");
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
