using System.Buffers;
using System.Globalization;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;
using Fairseq2Llama.TorchFiles.Zip;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// Gives access to the bytes of input storages at any place. Deflated ones, which have no places, are inflated once into a file.
/// </summary>
internal sealed class InputStorages(ScratchFolder scratch, VerificationPolicy verification) : IDisposable
{
    private readonly object _lock = new();
    private readonly Dictionary<IByteSource, IByteReader> _readers = [];
    private readonly Dictionary<StoredBytes, IByteReader> _inflated = [];

    /// <summary>A reader and the place in it where the storage begins.</summary>
    public (IByteReader Reader, long Origin) Open(StoredBytes storage, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (storage.DeflatedLength is null)
            {
                return (Reader(storage.Source, cancellationToken), storage.Offset);
            }

            if (!_inflated.TryGetValue(storage, out var reader))
            {
                reader = _inflated[storage] = Inflate(storage, storage.DeflatedLength.Value, cancellationToken);
            }

            return (reader, 0);
        }
    }

    /// <summary>Announces what will be read, in that order.</summary>
    public void Expect(IEnumerable<ByteRuns> runs, CancellationToken cancellationToken)
    {
        foreach (var source in runs.GroupBy(run => run.Storage.Source))
        {
            ByteRange[] ranges = [.. source.Select(RangeOf)];

            lock (_lock)
            {
                Reader(source.Key, cancellationToken).Expect(ranges);
            }
        }
    }

    /// <summary>A checksum shows damage only if there is one; the time of a file always shows that it was rewritten.</summary>
    public void RequireUnchanged()
    {
        lock (_lock)
        {
            foreach (var reader in _readers.Values)
            {
                reader.RequireUnchanged();
            }
        }
    }

    public void Dispose()
    {
        foreach (var reader in _readers.Values.Concat(_inflated.Values))
        {
            reader.Dispose();
        }
    }

    private IByteReader Reader(IByteSource source, CancellationToken cancellationToken)
    {
        if (!_readers.TryGetValue(source, out var reader))
        {
            reader = _readers[source] = source is IVerifiedSource verified ? verified.Open(verification, cancellationToken) : source.Open(cancellationToken);
        }

        return reader;
    }

    private static ByteRange RangeOf(ByteRuns runs)
    {
        var (storage, (offset, length)) = (runs.Storage, runs.Extent);
        return storage.DeflatedLength is { } deflated ? new ByteRange(storage.Offset, deflated) : new ByteRange(storage.Offset + offset, length);
    }

    private IByteReader Inflate(StoredBytes storage, long deflatedLength, CancellationToken cancellationToken)
    {
        var crc = ThirdParty.CreateCrc32();
        var inflated = scratch.Write(
            string.Create(CultureInfo.InvariantCulture, $"inflated-{_inflated.Count}"), storage.Length, output => Inflate(storage, deflatedLength, crc, output, cancellationToken));

        return !verification.ComparesChecksums || storage.Crc32 is null || crc.GetAndReset() == storage.Crc32
            ? inflated.Open(cancellationToken)
            : throw ChecksumMismatch.Of(storage.Source.Name, storage.Record);
    }

    private void Inflate(StoredBytes storage, long deflatedLength, IChecksum crc, Stream output, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);

        try
        {
            using var input = Deflate.Open(Reader(storage.Source, cancellationToken), storage.Offset, deflatedLength);

            for (var left = storage.Length; left > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();

                var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, left));
                input.ReadExactly(chunk);
                crc.Append(chunk);
                output.Write(chunk);
                left -= chunk.Length;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw CheckpointException.Corrupt(storage.Source.Name, $"its record '{storage.Record}' can't be decompressed.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
