using System.Security.Cryptography;

namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>The SHA-256 of a file, and of tensors in it, while its bytes pass from the first to the last.</summary>
/// <param name="name">Its name, for messages.</param>
/// <param name="length">Its length in bytes.</param>
/// <param name="taps">Who wants which of its bytes, too.</param>
/// <param name="lanes">Where they are hashed.</param>
internal sealed class FileHash(string name, long length, IEnumerable<FileTap> taps, HashLanes lanes) : IHashTarget, IDisposable
{
    private readonly Whole _whole = new();
    private readonly Queue<FileTap> _pending = new(taps.Where(tap => tap.Length > 0).OrderBy(tap => tap.Offset));
    private readonly List<FileTap> _open = [];
    private string? _value;

    /// <summary>Bytes that have passed.</summary>
    public long Position { get; private set; }

    /// <summary>In hexadecimal digits. To be asked for when the lanes are complete.</summary>
    /// <exception cref="InvalidOperationException">Some of it is missing.</exception>
    public string Value => _value ??= Position == length
        ? _whole.Finish()
        : throw new InvalidOperationException($"{length - Position} bytes of '{name}' were never hashed.");

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, HashLanes.ChunkSize);
            using var chunk = lanes.Copy(bytes[..count]);
            lanes.Files.Add(chunk, ..count, _whole);
            Tap(chunk, count);
            Position += count;
            bytes = bytes[count..];
        }
    }

    public void Dispose() => _whole.Dispose();

    private void Tap(HashChunk chunk, int count)
    {
        var end = Position + count;

        while (_pending.TryPeek(out var next) && next.Offset < end)
        {
            _open.Add(_pending.Dequeue());
        }

        foreach (var tap in _open)
        {
            var from = (int)(Math.Max(tap.Offset, Position) - Position);
            var to = (int)(Math.Min(tap.End, end) - Position);
            (tap.IsOfInput ? lanes.Inputs : lanes.Tensors).Add(chunk, from..to, tap.Target);
        }

        _open.RemoveAll(tap => tap.End <= end);
    }

    private sealed class Whole : IHashTarget, IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

        public string Finish() => _hash.Finish();

        public void Dispose() => _hash.Dispose();
    }
}

/// <summary>Bytes of a file that somebody wants.</summary>
/// <param name="Offset">The first.</param>
/// <param name="Length">How many.</param>
/// <param name="Target">Gets them.</param>
/// <param name="IsOfInput">Whether they go to the lane of inputs.</param>
internal readonly record struct FileTap(long Offset, long Length, IHashTarget Target, bool IsOfInput = false)
{
    /// <summary>The offset behind the last.</summary>
    public long End => Offset + Length;
}
