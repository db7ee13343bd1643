using System.Buffers;

namespace Fairseq2Llama.Stores.Objects;

/// <summary>
/// A file that becomes an object: each part is uploaded as soon as all of its bytes have come. Those with gaps are held in memory; where the file
/// is written from front to back by a few threads there are a few of them.
/// </summary>
/// <param name="upload">Takes the parts.</param>
/// <param name="length">Bytes of the file.</param>
/// <param name="copyable">Ranges of it that could be copied inside the store.</param>
/// <param name="limits">The limits of the store.</param>
internal sealed class PartSink(IObjectUpload upload, long length, IEnumerable<ByteRange> copyable, PartLimits limits) : IFileSink
{
    private readonly Part[] _parts = [.. PartPlan.Of(length, copyable, limits).Select(part => new Part(part))];
    private readonly long _length = length;
    private long _missing = length;

    public bool PrefersOrder => true;

    /// <summary>Bytes that have not come yet.</summary>
    public long Missing => Interlocked.Read(ref _missing);

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        for (var index = IndexOf(offset); !bytes.IsEmpty; index++)
        {
            var part = _parts[index];
            var piece = bytes[..(int)Math.Min(bytes.Length, part.Place.End - offset)];

            if (part.Add(piece, offset) is { } whole)
            {
                upload.Upload(part.Place.Number, whole.AsSpan(0, (int)part.Place.Length));
                part.Release();
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
    }

    public void Dispose()
    {
        foreach (var part in _parts)
        {
            part.Release();
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

            if (!upload.TryCopy(parts[first].Number, source, new ByteRange(parts[first].Offset + distance, size)))
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
