using System.Collections.Concurrent;
using Fairseq2Llama.Dependencies;
using Fairseq2Llama.Stores;
using Fairseq2Llama.Tensors;

namespace Fairseq2Llama.Transfer;

/// <summary>
/// The one place where tensor data passes through: reads the runs of a storage, checks them, hands them on. Serves several threads at once.
/// </summary>
internal sealed class StorageCopier(ScratchFolder scratch, VerificationPolicy verification) : IDisposable
{
    private readonly InputStorages _inputs = new(scratch, verification);
    private readonly ConcurrentBag<RunReader> _idleReaders = [];
    private readonly ConcurrentDictionary<StoredBytes, Lazy<uint>> _checksums = new();
    private readonly ConcurrentDictionary<PlannedStorage, long> _overflows = new();

    /// <summary>Whether blocks that are shared are read nevertheless: to compare them with their checksums, and to show them to the file that has them.</summary>
    public bool ReadsShared { private get; init; }

    /// <summary>Who wants the bytes of a storage as they are before a cast; null for nobody.</summary>
    public Func<PlannedStorage, ChunkSink?>? BeforeCast { private get; init; }

    /// <summary>How many finite numbers were too large for the type that a storage was cast to, where there were any.</summary>
    public IReadOnlyDictionary<PlannedStorage, long> Overflows => _overflows;

    /// <summary>Announces storages that will be copied, in that order, so that a store can read ahead.</summary>
    public void Expect(IEnumerable<PlannedStorage> storages, CancellationToken cancellationToken) =>
        _inputs.Expect(storages.SelectMany(storage => storage.Runs), cancellationToken);

    /// <summary>Puts a storage into its place, without reading it where that is possible.</summary>
    /// <returns>The CRC-32 of what lies there now, as far as it was read; otherwise it is what the input says.</returns>
    /// <exception cref="CheckpointException">An input is damaged.</exception>
    public uint Write(PlannedStorage storage, StorageTarget target, CancellationToken cancellationToken) =>
        !(verification.SharesBlocks && storage.IsShareable && TryShare(storage.UnchangedInput!, target, cancellationToken))
            ? Copy(storage, chunk => target.Write(chunk), cancellationToken)
            : ReadsShared ? Copy(storage, chunk => target.Observe(chunk), cancellationToken)
            : storage.UnchangedInput!.Crc32!.Value;

    /// <summary>Copies a storage.</summary>
    /// <param name="storage">The storage.</param>
    /// <param name="sink">Gets it, chunk by chunk.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="pieces">Takes the checksum where only a part of an input is read, instead of reading all of it at once; to be verified once all parts were.</param>
    /// <returns>The CRC-32 of what was handed on.</returns>
    /// <exception cref="CheckpointException">An input is damaged.</exception>
    public uint Copy(PlannedStorage storage, ChunkSink sink, CancellationToken cancellationToken, PieceChecksums? pieces = null)
    {
        Expect([storage], cancellationToken);
        var crc = ThirdParty.CreateCrc32();
        var unchanged = storage.UnchangedInput;
        var piece = pieces is not null && unchanged is null ? storage.OnlyRun : null;
        var length = 0L;
        using var transforms = new StorageTransforms(
            storage,
            output =>
            {
                length += output.Length;
                crc.Append(output);
                sink(output);
            },
            storage.IsCast ? BeforeCast?.Invoke(storage) : null);

        foreach (var band in storage.Bands)
        {
            var transform = band.IsBigEndian ? transforms.BigEndian : transforms.LittleEndian;
            var inputCrc = band.WholeStorage is not null && unchanged is null ? ThirdParty.CreateCrc32() : null;

            foreach (var column in band.WholeStorage is null && piece is null ? band.Columns : [])
            {
                Verify(column.Storage, cancellationToken);
            }

            Read(
                band,
                chunk =>
                {
                    inputCrc?.Append(chunk);
                    transform(chunk);
                },
                cancellationToken);

            if (inputCrc is not null)
            {
                Verify(band.WholeStorage!, inputCrc.GetAndReset());
            }
        }

        storage.Compute?.Invoke(chunk =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            transforms.LittleEndian(chunk);
        });

        if (length != storage.Length)
        {
            throw new InvalidOperationException($"A storage of {storage.Length} bytes was planned, and {length} were made.");
        }

        if (transforms.Overflows > 0)
        {
            _overflows[storage] = transforms.Overflows;
        }

        var value = crc.GetAndReset();

        if (unchanged is not null)
        {
            Verify(unchanged, value);
        }

        if (piece is not null)
        {
            pieces!.Add(piece, value);
        }

        return value;
    }

    /// <summary>Verifies storages that were read in pieces. A storage that was not read to the end takes a separate pass.</summary>
    /// <exception cref="CheckpointException">An input is damaged.</exception>
    public void Verify(PieceChecksums pieces, CancellationToken cancellationToken)
    {
        foreach (var storage in pieces.Storages)
        {
            if (pieces.Combine(storage) is { } crc)
            {
                _checksums.TryAdd(storage, new Lazy<uint>(crc));
            }

            Verify(storage, cancellationToken);
        }
    }

    /// <exception cref="CheckpointException">An input was changed while it was being copied.</exception>
    public void RequireUnchangedInputs() => _inputs.RequireUnchanged();

    public void Dispose()
    {
        while (_idleReaders.TryTake(out var reader))
        {
            reader.Dispose();
        }

        _inputs.Dispose();
    }

    private bool TryShare(StoredBytes input, StorageTarget target, CancellationToken cancellationToken)
    {
        var (reader, origin) = _inputs.Open(input, cancellationToken);

        return target.TryShare(reader, origin, input.Length);
    }

    /// <summary>
    /// Where only parts of an input storage are taken, or they are changed, its checksum takes a pass of its own, once for all parts. Whoever
    /// takes a part of a damaged one learns of it.
    /// </summary>
    private void Verify(StoredBytes storage, CancellationToken cancellationToken)
    {
        if (!verification.ComparesChecksums || storage is { Crc32: null } or { DeflatedLength: not null })
        {
            return;
        }

        var checksum = _checksums.GetOrAdd(storage, key => new Lazy<uint>(() => ComputeChecksum(key, cancellationToken)));

        try
        {
            Verify(storage, checksum.Value);
        }
        catch (OperationCanceledException)
        {
            // What stopped may have been one tensor of several, and another one may lie in the same storage.
            _checksums.TryRemove(KeyValuePair.Create(storage, checksum));
            throw;
        }
    }

    private uint ComputeChecksum(StoredBytes storage, CancellationToken cancellationToken)
    {
        var crc = ThirdParty.CreateCrc32();
        var all = new ByteRuns(storage, 0, storage.Length, []);
        _inputs.Expect([all], cancellationToken);
        Read(RowBlock.Of(all), chunk => crc.Append(chunk), cancellationToken);
        return crc.GetAndReset();
    }

    private void Verify(StoredBytes storage, uint crc)
    {
        if (verification.ComparesChecksums && storage.Crc32 is { } expected && crc != expected)
        {
            _inputs.RequireUnchanged();
            throw ChecksumMismatch.Of(storage.Source.Name, storage.Record);
        }
    }

    private void Read(RowBlock band, ChunkSink sink, CancellationToken cancellationToken)
    {
        // As many as there are threads: each has buffers of some MB.
        var runReader = _idleReaders.TryTake(out var idle) ? idle : new RunReader();

        try
        {
            if (band.Columns is [var runs])
            {
                var (reader, origin) = _inputs.Open(runs.Storage, cancellationToken);
                runReader.Read(reader, origin, runs, HandOn);
                return;
            }

            RunColumn[] columns =
            [
                .. from column in band.Columns
                   let place = _inputs.Open(column.Storage, cancellationToken)
                   select new RunColumn(place.Reader, place.Origin, column),
            ];

            runReader.ReadRows(band.Rows, columns, HandOn);
        }
        finally
        {
            _idleReaders.Add(runReader);
        }

        void HandOn(Span<byte> chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            sink(chunk);
        }
    }
}
