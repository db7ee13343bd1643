using System.Buffers;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// A file that becomes an object: each part is uploaded as soon as all of its bytes have come, while others are being written. Those with gaps are held
/// in memory; where the file is written from front to back by a few threads there are a few of them.
/// </summary>
/// <param name="upload">Takes the parts.</param>
/// <param name="length">Bytes of the file.</param>
/// <param name="copyable">Ranges of it that could be copied inside the store.</param>
/// <param name="limits">The limits of the store.</param>
/// <param name="throttleLimit">How many parts are uploaded at the same time, and are in memory for that.</param>
/// <param name="cancellationToken">Stops it.</param>
internal sealed class PartSink(
    ObjectUpload upload, long length, IEnumerable<ByteRange> copyable, PartLimits limits, int throttleLimit, CancellationToken cancellationToken) : IFileSink
{
    private readonly Part[] _parts = [.. PartPlan.Of(length, copyable, limits).Select(part => new Part(part))];
    private readonly long _length = length;
    private readonly SemaphoreSlim _uploading = new(throttleLimit);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly object _lock = new();
    private readonly List<Task> _uploads = [];
    private long _missing = length;
    private bool _isDisposed;

    public bool PrefersOrder => true;

    /// <summary>Bytes that have not come yet.</summary>
    public long Missing => Interlocked.Read(ref _missing);

    public bool CanShare(IByteSource source) => source is ObjectSource { Store: var from } && from.CanCopyTo(upload.Store);

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        for (var index = IndexOf(offset); !bytes.IsEmpty; index++)
        {
            var part = _parts[index];
            var piece = bytes[..(int)Math.Min(bytes.Length, part.Place.End - offset)];

            if (part.Add(piece, offset) is { } whole)
            {
                Upload(part, whole);
            }

            Interlocked.Add(ref _missing, -piece.Length);
            bytes = bytes[piece.Length..];
            offset += piece.Length;
        }
    }

    public bool TryShare(IByteReader source, long origin, long length, long offset)
    {
        var end = offset + length;
        var whole = _parts.Where(part => part.Place.Offset >= offset && part.Place.End <= end).Select(part => part.Place).ToArray();

        if (whole.Length == 0 || whole.Sum(part => part.Length) < limits.MinLength || source is not ObjectSource.Reader { Source: var from } || !TryCopy(from, origin - offset, whole))
        {
            return false;
        }

        Copy(source, origin - offset, offset, whole[0].Offset);
        Copy(source, origin - offset, whole[^1].End, end);
        return true;
    }

    public void Complete()
    {
        if (Missing != 0)
        {
            throw new InvalidOperationException($"{Missing} bytes of {_length} were never written.");
        }

        Task[] uploads;

        lock (_lock)
        {
            uploads = [.. _uploads];
        }

        Task.WhenAll(uploads).GetAwaiter().GetResult();
    }

    /// <summary>Waits for the uploads that are running, because a part that arrives after the others were discarded would stay.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _stop.Cancel();
        Task.WhenAll(_uploads).ContinueWith(_ => { }, TaskScheduler.Default).Wait();

        foreach (var part in _parts)
        {
            part.Release();
        }

        _stop.Dispose();
        _uploading.Dispose();
    }

    /// <summary>Waits until there is room for another upload. What has failed before is thrown now: nothing that follows would be of use.</summary>
    private void Upload(Part part, byte[] whole)
    {
        _uploading.Wait(_stop.Token);

        lock (_lock)
        {
            if (_uploads.Find(upload => upload.IsFaulted) is { } failed)
            {
                _uploading.Release();
                failed.GetAwaiter().GetResult();
            }

            _uploads.RemoveAll(upload => upload.IsCompletedSuccessfully);
            _uploads.Add(UploadAsync(part, whole));
        }
    }

    private async Task UploadAsync(Part part, byte[] whole)
    {
        try
        {
            await upload.UploadAsync(part.Place.Number, whole.AsMemory(0, (int)part.Place.Length), _stop.Token).ConfigureAwait(false);
            part.Release();
        }
        finally
        {
            _uploading.Release();
        }
    }

    /// <summary>Copies neighbouring parts as one, under the number of the first.</summary>
    private bool TryCopy(ObjectSource source, long distance, ObjectPart[] parts)
    {
        for (int first = 0, count; first < parts.Length; first += count)
        {
            var size = parts[first].Length;

            for (count = 1; first + count < parts.Length && size + parts[first + count].Length <= limits.MaxCopyLength; count++)
            {
                size += parts[first + count].Length;
            }

            if (!upload.TryCopy(parts[first].Number, source, new ByteRange(parts[first].Offset + distance, size), _stop.Token))
            {
                return first == 0 ? false : throw new IOException("The store copied one part of an object and would not copy another.");
            }

            Interlocked.Add(ref _missing, -size);
        }

        return true;
    }

    private void Copy(IByteReader source, long distance, long start, long end)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(limits.Length, Math.Max(0, end - start)));

        try
        {
            for (var offset = start; offset < end;)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset));
                source.Read(offset + distance, piece);
                Write(piece, offset);
                offset += piece.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private int IndexOf(long offset)
    {
        var index = Array.BinarySearch(_parts, offset, Comparer<object>.Create((part, place) => ((Part)part!).Place.Offset.CompareTo((long)place!)));
        return index < 0 ? ~index - 1 : index;
    }

    private sealed class Part(ObjectPart place)
    {
        private byte[]? _bytes;
        private long _missing = place.Length;

        public ObjectPart Place => place;

        /// <returns>All of the part when this was the last piece of it; otherwise null.</returns>
        public byte[]? Add(ReadOnlySpan<byte> piece, long offset)
        {
            lock (this)
            {
                _bytes ??= ArrayPool<byte>.Shared.Rent((int)place.Length);
                piece.CopyTo(_bytes.AsSpan((int)(offset - place.Offset)));
                _missing -= piece.Length;
                return _missing == 0 ? _bytes : null;
            }
        }

        public void Release()
        {
            lock (this)
            {
                if (_bytes is not null)
                {
                    ArrayPool<byte>.Shared.Return(_bytes);
                    _bytes = null;
                }
            }
        }
    }
}
